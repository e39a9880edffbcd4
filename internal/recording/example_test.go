package recording_test

import (
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/internal/recording"
)

// What one container did, and the profile of that.
func Example() {
	r, err := recording.Read("web.json", []byte(`{"battenRecording": 1, "machine": "x86_64", "containers": [{"start": true, "calls": [
		{"arch": "SCMP_ARCH_X86_64", "nr": 0, "name": "read", "program": "web"},
		{"arch": "SCMP_ARCH_X86_64", "nr": 41, "name": "socket", "program": "web", "arguments": [{"index": 0, "value": 2}]}
	]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	yes := true
	made, err := recording.Profile([]*recording.Recording{r}, recording.Options{NoNewPrivileges: &yes})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, rule := range made.Seccomp.Syscalls[:2] {
		fmt.Println(strings.Join(rule.Names, " "), rule.Action, rule.Args)
	}
	fmt.Println("read:", made.By["read"])
	// Output:
	// close execve exit exit_group fstat fstatfs getdents64 openat openat2 read restart_syscall rt_sigreturn statx SCMP_ACT_ALLOW []
	// socket SCMP_ACT_ALLOW [{0 2 0 SCMP_CMP_EQ}]
	// read: web first, 1 of 1 containers
}
