package semantics_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExamplePassedByHighBits() {
	found, err := semantics.PassedByHighBits(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Syscalls: []specs.LinuxSyscall{{
			Names: []string{"socket"}, Action: specs.ActErrno,
			Args: []specs.LinuxSeccompArg{{Index: 0, Value: 16, Op: specs.OpEqualTo}},
		}},
	})
	fmt.Println(len(found), err)
	// Output:
	// 1 <nil>
}
