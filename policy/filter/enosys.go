package filter

import (
	"slices"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/syscalls"
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

// enosysStub returns instructions that answer ENOSYS to numbers above the highest that the
// profile names on an architecture, if the profile denies by default. runc puts such a stub
// before a filter (libcontainer/seccomp/patchbpf); its instructions are others, with the
// same effect. enosysStub returns nil if runc puts none.
func enosysStub(s *specs.LinuxSeccomp, byNumber bool) []unix.SockFilter {
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
		if last := lastSyscall(s, arch, byNumber); last > 0 && auditArch[arch] != 0 {
			stub = append(stub, enosysAbove(arch, uint32(last))...)
		}
	}
	return stub
}

// specArch returns the name of an architecture in runtime-spec's words.
func specArch(arch libseccomp.ScmpArch) specs.Arch {
	for name, a := range archOf {
		if a == arch {
			return name
		}
	}
	return ""
}

// lastSyscall returns the highest number that a rule names, rules that repeat the default
// included. Names that the linked libseccomp does not know count only byNumber.
func lastSyscall(s *specs.LinuxSeccomp, arch libseccomp.ScmpArch, byNumber bool) (last libseccomp.ScmpSyscall) {
	for _, rule := range s.Syscalls {
		for _, name := range rule.Names {
			nr, err := libseccomp.GetSyscallFromNameByArch(name, arch)
			if err != nil && byNumber {
				number, _ := syscalls.Number(specArch(arch), name)
				nr = libseccomp.ScmpSyscall(number)
			}
			last = max(last, nr)
		}
	}
	return last
}

// enosysAbove returns one arch's part of the stub; it falls through to what follows.
func enosysAbove(arch libseccomp.ScmpArch, last uint32) []unix.SockFilter {
	ret := unix.SockFilter{Code: bpf.Return, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
	out := []unix.SockFilter{
		{Code: bpf.Load, K: wordArch * 4},
		{Code: bpf.IfEqual, K: auditArch[arch], Jt: 0, Jf: 3},
		{Code: bpf.Load, K: wordNr * 4},
		{Code: bpf.IfGreater, K: last, Jt: 0, Jf: 1},
		ret,
	}
	mode := unix.SockFilter{Code: bpf.IfBits, K: x32Bit}
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
