package profile

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"

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

// ProbeABIs asks the kernel which foreign ABIs it runs: it makes an x32 call
// and executes an i386 program. Under a filter of its own the process cannot
// tell a filter's no from the kernel's, and is not probed. It starts a child
// process, so callers that reap children themselves ask before they begin to.
func ProbeABIs() ABIs {
	if filtered() {
		return ABIs{}
	}
	x86, known := runs386()
	if !known {
		return ABIs{}
	}
	_, _, errno := unix.RawSyscall(x32Bit|unix.SYS_GETPID, 0, 0, 0)
	return ABIs{Probed: true, X86: x86, X32: errno != unix.ENOSYS}
}

// runs386 reports whether an i386 program ran; known is false where something
// else than the kernel's binary formats stood in the way.
func runs386() (runs, known bool) {
	fd, err := unix.MemfdCreate("batten-probe", unix.MFD_CLOEXEC)
	if err != nil {
		return false, false
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

// filtered reports whether this process runs under a seccomp filter, or
// cannot tell.
func filtered() bool {
	status, err := os.ReadFile("/proc/self/status")
	return err != nil || !strings.Contains(string(status), "\nSeccomp:\t0\n")
}
