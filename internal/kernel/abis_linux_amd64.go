package kernel

import (
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	"golang.org/x/sys/unix"
)

// exit386 is a whole i386 program: an ELF header, one program header, and
// exit(0) by int 0x80.
const exit386 = "\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x02\x00\x03\x00\x01\x00\x00\x00\x54\x80\x04\x08\x34\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x34\x00\x20\x00\x01\x00\x00\x00" +
	"\x00\x00\x00\x00" +
	"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x80\x04\x08\x00\x80\x04\x08" +
	"\x60\x00\x00\x00\x60\x00\x00\x00\x05\x00\x00\x00\x00\x10\x00\x00" +
	"\xb8\x01\x00\x00\x00\x31\xdb\xcd\x80\x90\x90\x90"

// ABIs asks the kernel which foreign ABIs it runs: it makes an x32 call and executes an
// i386 program. A process that has a seccomp filter itself cannot distinguish the filter's
// answer from the kernel's, so ABIs does not probe there. ABIs starts a child: a program
// that waits for any child must call it before.
func ABIs() profile.ABIs {
	if filtered() {
		return profile.ABIs{}
	}
	x86, known := runsProgram(exit386)
	if !known {
		return profile.ABIs{}
	}
	_, _, errno := unix.RawSyscall(syscalls.X32Bit|unix.SYS_GETPID, 0, 0, 0)
	return profile.ABIs{Probed: true, X86: x86, X32: errno != unix.ENOSYS}
}
