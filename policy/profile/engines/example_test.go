package engines_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/profile/engines"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExampleDefault() {
	own := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: specs.ActErrno}}}
	fmt.Printf("%q\n", engines.Default(&own, nil))
	// Output: ""
}
