package kernel_test

import (
	"fmt"

	"github.com/batten-runtime/batten/internal/kernel"
)

// A command asks anew each time: it keeps nothing.
func Example() {
	machine := kernel.Machine("")
	machine.ABIs = kernel.ABIs()
	machine.Runtime = kernel.Runtime("", "no-such-runtime")
	fmt.Println(machine.KernelRelease != "", machine.Runtime)
	// Output:
	// true no-such-runtime with a libseccomp of unknown version
}
