package kernel

import (
	"github.com/batten-runtime/batten/internal/computed"
	"github.com/batten-runtime/batten/policy"
	"golang.org/x/sys/unix"
)

// Probe finds out what the kernel runs and has, and what the runtime with the name or
// path binary knows, and keeps the answers below dir. It starts processes, and so must be
// called before the program begins to wait for any child.
func Probe(dir, binary string) {
	keepABIs(dir)
	Calls(dir)
	Runtime(dir, binary)
}

// Machine returns the machine that profiles are resolved against, without a runtime. It
// starts no process: the ABIs are those that Probe has kept below dir, where the policy keeps what it computes, too.
func Machine(dir string) policy.Machine {
	return policy.Machine{ABIs: keptABIs(dir), KernelRelease: Release(), Calls: Calls(dir), Unheard: Unheard(), Computed: computed.In(dir)}
}

// Release returns uname's release, such as 6.1.0-13-amd64; it is empty if uname fails.
func Release() string {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return ""
	}
	return unix.ByteSliceToString(uts.Release[:])
}

// Name returns uname's name of the machine, such as x86_64; it is empty if uname fails.
func Name() string {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return ""
	}
	return unix.ByteSliceToString(uts.Machine[:])
}
