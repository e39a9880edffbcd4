//go:build linux && (amd64 || arm64)

package kernel

import (
	"errors"
	"os"
	"os/exec"
	"strconv"

	"github.com/batten-runtime/batten/internal/procfs"
	"golang.org/x/sys/unix"
)

// stderr is the last of the descriptors that each program has.
const stderr = 2

// runsProgram reports whether a program ran. known is false if the program failed for
// another reason than that the kernel does not know its binary format.
func runsProgram(elf string) (runs, known bool) {
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
	if _, err := f.WriteString(elf); err != nil {
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
