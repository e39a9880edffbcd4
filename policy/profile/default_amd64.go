package profile

import (
	"slices"

	"github.com/containerd/containerd/v2/pkg/kernelversion"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

//go:generate go run ./gendefault zdefault_amd64.go

// runtimeDefault puts containerd's profile together from its parts, in its order.
func runtimeDefault(bounding []string) specs.LinuxSeccomp {
	rules := slices.Clone(defaultFirst)
	if !ptraceIsSafe() {
		rules = slices.DeleteFunc(rules, func(r specs.LinuxSyscall) bool { return slices.Contains(r.Names, "ptrace") })
	}
	for _, capability := range bounding {
		rules = append(rules, defaultWith(capability)...)
	}
	if !slices.Contains(bounding, "CAP_SYS_ADMIN") {
		rules = append(rules, defaultUnlessAdmin...)
	}
	return specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: slices.Clone(defaultArches), Syscalls: rules}
}

// ptraceIsSafe reports whether the kernel filters a traced call after its tracer
// has changed it, as of Linux 4.8 (seccomp(2), SECCOMP_RET_TRACE).
func ptraceIsSafe() bool {
	safe, err := kernelversion.GreaterEqualThan(kernelversion.KernelVersion{Kernel: 4, Major: 8})
	return safe && err == nil
}
