package filter_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func Example() {
	stack := func(names ...string) filter.Stack {
		p, err := filter.Compile(&specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow,
			Syscalls:      []specs.LinuxSyscall{{Names: names, Action: specs.ActErrno}},
		})
		if err != nil {
			panic(err)
		}
		return filter.Stack{p}
	}
	floor, looser := stack("keyctl", "bpf"), stack("keyctl")
	fmt.Println(filter.Subsumes(floor, floor))
	fmt.Println(filter.Subsumes(floor, looser))
	// Output:
	// <nil> <nil>
	// bpf() on amd64: ERRNO(EPERM) against ALLOW <nil>
}
