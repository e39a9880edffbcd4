package kernel

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Unheard says why a filter of a process that this one starts cannot notify a listener; it is
// empty if one can. Linux 5.0 has SECCOMP_RET_USER_NOTIF, and 5.5 lets a call that a listener was notified of
// run (SECCOMP_USER_NOTIF_FLAG_CONTINUE, seccomp_unotify(2)).
func Unheard() string {
	action := uint32(unix.SECCOMP_RET_USER_NOTIF)
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return "the kernel has no SCMP_ACT_NOTIFY"
	}
	release := Release()
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil || major < 5 || major == 5 && minor < 5 {
		return fmt.Sprintf("Linux %s cannot let a call run that a listener was notified of; 5.5 can", release)
	}
	if err := listenerFree(); errors.Is(err, unix.EBUSY) {
		return "this process runs under a filter that has a listener, and a process can have only one"
	} else if err != nil {
		return fmt.Sprintf("this process runs under a filter, and it is unknown whether that has a listener: %v", err)
	}
	return ""
}

// listenerFree returns EBUSY if a filter that this process hands down has a listener. The kernel
// tells it only to who installs one more: a thread does that for itself alone, and ends.
func listenerFree() error {
	if mode, _, _ := unix.RawSyscall(unix.SYS_PRCTL, unix.PR_GET_SECCOMP, 0, 0); mode == 0 {
		return nil
	}
	found := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock it: the thread ends here, with its filter
		allow := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
		program := unix.SockFprog{Len: uint16(len(allow)), Filter: &allow[0]}
		fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
		if errno != 0 {
			found <- errno
			return
		}
		found <- unix.Close(int(fd))
	}()
	return <-found
}
