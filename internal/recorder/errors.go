package recorder

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Unable is the error where nothing can be recorded on this machine.
type Unable struct{ Why, Remedy string }

func (u *Unable) Error() string { return u.Why }

// unable says why the kernel did not take what the recorder needs.
func unable(what string, err error) error {
	switch {
	case errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES):
		if errno := unix.Errno(0); errors.As(err, &errno) {
			err = errno // without the library's advice to its callers
		}
		return &Unable{fmt.Sprintf("no right to %s: %v", what, err), "run as root, with CAP_BPF and CAP_PERFMON or CAP_SYS_ADMIN, outside of containers"}
	case errors.Is(err, unix.ENOSYS):
		return &Unable{fmt.Sprintf("no eBPF here to %s: %v", what, err), "record on a kernel with CONFIG_BPF_SYSCALL=y"}
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT):
		return &Unable{fmt.Sprintf("the kernel is too old to %s: %v", what, err), "record on Linux 5.8 or later"}
	}
	return fmt.Errorf("%s: %w", what, err)
}
