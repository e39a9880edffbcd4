package syscalls_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExampleNumber() {
	nr, ok := syscalls.Number(specs.ArchX86_64, "keyctl")
	fmt.Println(nr, ok, syscalls.CallAt(specs.ArchX86, 102), syscalls.Multiplexed["socket"].By)
	// Output:
	// 250 true socketcall socketcall
}
