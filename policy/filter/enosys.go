package filter

import (
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// x32Bit is set in the numbers of x32 calls (__X32_SYSCALL_BIT, asm/unistd.h).
const x32Bit = 1 << 30

// auditArch maps libseccomp's architectures to the AUDIT_ARCH_* values of
// linux/audit.h for which filters are judged; x32 shares x86_64's.
var auditArch = map[libseccomp.ScmpArch]uint32{
	libseccomp.ArchX86: unix.AUDIT_ARCH_I386, libseccomp.ArchAMD64: unix.AUDIT_ARCH_X86_64,
	libseccomp.ArchX32: unix.AUDIT_ARCH_X86_64, libseccomp.ArchARM: unix.AUDIT_ARCH_ARM,
	libseccomp.ArchARM64: unix.AUDIT_ARCH_AARCH64, libseccomp.ArchPPC64LE: unix.AUDIT_ARCH_PPC64LE,
	libseccomp.ArchRISCV64: unix.AUDIT_ARCH_RISCV64, libseccomp.ArchS390X: unix.AUDIT_ARCH_S390X,
	libseccomp.ArchLOONGARCH64: unix.AUDIT_ARCH_LOONGARCH64,
}

// enosysStub answers ENOSYS to numbers above the highest that the profile
// names on an arch, where its default denies: what runc puts before a filter
// (libcontainer/seccomp/patchbpf), instruction for instruction other, in
// effect the same. Nil where runc puts none.
func enosysStub(s *specs.LinuxSeccomp) []unix.SockFilter {
	switch s.DefaultAction {
	case specs.ActAllow, specs.ActLog, specs.ActTrace:
		return nil
	}
	native, err := libseccomp.GetNativeArch()
	if err != nil {
		return nil
	}
	arches := []libseccomp.ScmpArch{native}
	for _, name := range s.Architectures {
		if arch := archOf[name]; !slices.Contains(arches, arch) {
			arches = append(arches, arch)
		}
	}
	var stub []unix.SockFilter
	for _, arch := range arches {
		if last := lastSyscall(s, arch); last > 0 && auditArch[arch] != 0 {
			stub = append(stub, enosysAbove(arch, uint32(last))...)
		}
	}
	return stub
}

// lastSyscall is the highest number that a rule names, skipped rules included.
func lastSyscall(s *specs.LinuxSeccomp, arch libseccomp.ScmpArch) (last libseccomp.ScmpSyscall) {
	for _, rule := range s.Syscalls {
		for _, name := range rule.Names {
			if nr, err := libseccomp.GetSyscallFromNameByArch(name, arch); err == nil {
				last = max(last, nr)
			}
		}
	}
	return last
}

// enosysAbove is one arch's part of the stub; it falls through to what follows.
func enosysAbove(arch libseccomp.ScmpArch, last uint32) []unix.SockFilter {
	ret := unix.SockFilter{Code: codeReturn, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
	out := []unix.SockFilter{
		{Code: codeLoad, K: wordArch * 4},
		{Code: codeIfEqual, K: auditArch[arch], Jt: 0, Jf: 3},
		{Code: codeLoad, K: wordNr * 4},
		{Code: codeIfGreater, K: last, Jt: 0, Jf: 1},
		ret,
	}
	mode := unix.SockFilter{Code: codeIfBits, K: x32Bit}
	switch arch {
	case libseccomp.ArchAMD64:
		mode.Jt = 2
	case libseccomp.ArchX32:
		mode.Jf = 2
	default:
		return out
	}
	out[1].Jf++
	return slices.Insert(out, 3, mode)
}
