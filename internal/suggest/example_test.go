package suggest_test

import (
	"fmt"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/suggest"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExampleFor() {
	answer, err := suggest.For(suggest.Question{
		Base: specs.LinuxSeccomp{
			DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86_64},
			Syscalls: []specs.LinuxSyscall{{Names: []string{"read", "write", "exit_group"}, Action: specs.ActAllow}},
		},
		Denials: []denials.Denial{
			{Kind: denials.Kind{Arch: specs.ArchX86_64, Syscall: "getpid", Action: specs.ActErrno, Errno: 1}, Count: 3},
			{Kind: denials.Kind{Arch: specs.ArchX86_64, Syscall: "bpf", Action: specs.ActErrno, Errno: 1}, Count: 1},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Rules[0].Names, answer.Rules[0].Action)
	fmt.Println(answer.Dangerous[0].Name, answer.Dangerous[0].Danger.Why)
	// Output:
	// [getpid] SCMP_ACT_ALLOW
	// bpf runs programs in the node's kernel
}
