// Package bpf runs a seccomp filter, as the kernel holds it, on single calls.
//
//	program, err := bpf.Check(instructions)
//	ret := program.Run(bpf.Call{Arch: unix.AUDIT_ARCH_X86_64, Nr: 250})
//
// Call [Check] first. The package needs no cgo, so that the shim can use it. Package
// policy/filter proves what a filter does to all calls, and needs libseccomp.
package bpf
