package kernel

import (
	"errors"
	"os"
	"os/exec"
	"strconv"

	"github.com/batten-runtime/batten/internal/procfs"
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
	x86, known := runs386()
	if !known {
		return profile.ABIs{}
	}
	_, _, errno := unix.RawSyscall(syscalls.X32Bit|unix.SYS_GETPID, 0, 0, 0)
	return profile.ABIs{Probed: true, X86: x86, X32: errno != unix.ENOSYS}
}

// stderr is the last of the descriptors that each program has.
const stderr = 2

// runs386 reports whether an i386 program ran. known is false if the program failed for
// another reason than that the kernel does not know its binary format.
func runs386() (runs, known bool) {
	fd, err := unix.MemfdCreate("batten-probe", unix.MFD_CLOEXEC)
	if err != nil {
		return false, false
	}
	if fd <= stderr {
		// A child has others there. A shim's standard input may be closed.
		low := fd
		fd, err = unix.FcntlInt(uintptr(low), unix.F_DUPFD_CLOEXEC, stderr+1)
		_ = unix.Close(low)
		if err != nil {
			return false, false
		}
	}
	f := os.NewFile(uintptr(fd), "batten-probe")
	defer f.Close()
	if _, err := f.WriteString(exit386); err != nil {
		return false, false
	}
	cmd := exec.Command("/proc/self/fd/" + strconv.Itoa(fd))
	cmd.Env = []string{}
	err = cmd.Run()
	if errors.Is(err, unix.ENOEXEC) {
		return false, true
	}
	return err == nil, err == nil
}

// filtered reports whether this process runs under a seccomp filter, or may.
func filtered() bool {
	status, err := procfs.SelfStatus()
	return err != nil || status.Seccomp != 0
}
