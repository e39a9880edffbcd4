package fingerprint_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/profile/engines/fingerprint"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func Example() {
	together := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
		{Names: []string{"keyctl", "bpf"}, Action: specs.ActErrno},
	}}
	apart := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
		{Names: []string{"bpf"}, Action: specs.ActErrno},
		{Names: []string{"keyctl"}, Action: specs.ActErrno},
	}}
	x, _ := fingerprint.Of(&together)
	y, _ := fingerprint.Of(&apart)
	fmt.Println(x == y)
	// Output: true
}
