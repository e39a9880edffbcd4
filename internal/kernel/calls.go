package kernel

import (
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/policy/syscalls"
)

// callsFile holds the system calls of the kernel, until the next boot.
const callsFile = "calls.json"

// Calls returns the system calls that the kernel has, and keeps the answer below dir; an
// empty dir keeps nothing. The answer is not Probed if the kernel does not show its symbols.
func Calls(dir string) (calls syscalls.Calls) {
	path := filepath.Join(dir, callsFile)
	if dir != "" && read(path, &calls) && calls.Probed {
		return calls
	}
	symbols, err := os.Open("/proc/kallsyms")
	if err != nil {
		return syscalls.Calls{}
	}
	defer symbols.Close()
	if calls, err = syscalls.ReadCalls(symbols); err != nil || !calls.Probed {
		return syscalls.Calls{}
	}
	if dir != "" {
		keep(path, calls)
	}
	return calls
}
