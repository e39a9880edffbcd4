package policy

import (
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
)

// Machine is what a profile is resolved against besides the container.
type Machine struct {
	ABIs profile.ABIs
	// KernelRelease is uname's release.
	KernelRelease string
	// Runtime is the OCI runtime that makes the container. Its zero value means that
	// the runtime is unknown.
	Runtime syscalls.Runtime
	// Calls are the system calls that the kernel has.
	Calls syscalls.Calls
	// Computed keeps what was computed for earlier containers of this machine; nil keeps
	// nothing.
	Computed Computed
	// Unheard says why no listener can be notified of calls on this machine; it is empty
	// if one can.
	Unheard string
}
