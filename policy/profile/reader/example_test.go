package reader_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
)

// A profile in Docker's format, as containerd reads it.
func ExampleEngine_Read() {
	file := `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
  {"names": ["unshare"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
  {"name": "bpf", "action": "SCMP_ACT_ERRNO"}]}`
	p, findings := reader.Containerd.Read("docker.json", []byte(file))
	for _, f := range findings {
		fmt.Println(f)
	}
	s := p.Resolve(profile.Target{Bounding: []string{"CAP_SYS_ADMIN"}})
	fmt.Println(s.Syscalls[0].Names, s.Syscalls[1].Names)
	// Output:
	// profile "docker.json":2:54: syscalls[0].excludes: containerd drops excludes, so the rule counts for every container: it denies unshare for everybody
	// profile "docker.json":3:4: syscalls[1].name: containerd drops name, so the rule names no call and does nothing: nothing denies bpf; write names: ["bpf"]
	// [unshare] []
}
