package denials

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// notification is struct seccomp_notif of linux/seccomp.h.
type notification struct {
	id    uint64
	pid   uint32 // the thread that made the call, in this process's pid namespace
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
	_     [spare]byte
}

// spare is room for a kernel that knows more fields than Batten: seccomp_unotify(2) asks
// programs for that.
const spare = 128

func (n *notification) call() bpf.Call {
	return bpf.Call{Arch: n.arch, Nr: uint32(n.nr), IP: n.ip, Args: n.args}
}

// checkSizes returns an error if this kernel has no notifications, or larger ones than
// Batten has room for.
func checkSizes() error {
	var sizes struct{ notification, response, call uint16 }
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_NOTIF_SIZES, 0, uintptr(unsafe.Pointer(&sizes))); errno != 0 {
		return fmt.Errorf("this kernel cannot notify of denials; Linux 5.0 and later can: %w", errno)
	}
	if n := unsafe.Sizeof(notification{}); uintptr(sizes.notification) > n || uintptr(sizes.response) > unsafe.Sizeof(refusal{}) {
		return fmt.Errorf("this kernel's notifications have %d bytes and answers %d, more than Batten has room for", sizes.notification, sizes.response)
	}
	return nil
}

// checkContinue returns an error if this kernel may be too old to let a call through that it has
// notified of: Linux 5.5 has SECCOMP_USER_NOTIF_FLAG_CONTINUE, and 5.7 a flag that a process can
// ask for. With a filter that cannot be read, the kernel answers EFAULT if it knows the flag, and
// loads nothing in any case.
func checkContinue() error {
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH, 0)
	if errno != unix.EFAULT {
		return errors.New("this kernel cannot let a call through that it has notified of; Linux 5.7 and later can")
	}
	return nil
}

// receive takes one notification. ENOENT means that the call has ended meanwhile, by a signal;
// after EINTR the caller polls again. Without a notification that poll(2) has seen, receive
// would wait, before Linux 6.11 even where no process is left that could make a call.
func receive(fd int, n *notification) error {
	*n = notification{} // the kernel refuses what is not zero
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(n)))
	if errno != 0 {
		return errno
	}
	return nil
}

// valid reports whether the call still waits for its answer. What was read of its process
// before is then of that process, and of no other one that has got its number.
func valid(fd int, id uint64) bool {
	return ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id)) == nil
}

// wakeSynchronously tells the kernel (6.6 and later) that caller and listener take turns, so
// that it runs one after the other on the same processor. Older kernels return an error, which
// makes no difference.
func wakeSynchronously(fd int) {
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
}

// ioctl makes a request that a signal may interrupt.
func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return errno
	}
}
