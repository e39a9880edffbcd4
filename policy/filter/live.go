package filter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Requests of ptrace(2) that x/sys does not name (linux/ptrace.h).
const (
	ptraceGetFilter   = 0x420c
	ptraceGetMetadata = 0x420d
)

// Live reads the filters that the kernel holds for a process, by
// PTRACE_SECCOMP_GET_FILTER, which wants CAP_SYS_ADMIN, no filter on the caller,
// and a kernel with CONFIG_CHECKPOINT_RESTORE. The process stops for as long as
// that takes. Of the flags the kernel tells only LOG.
func Live(pid int) (stack Stack, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, 0, 0, 0); errno != 0 {
		return nil, fmt.Errorf("process %d cannot be traced: %w", pid, errno)
	}
	defer func() { err = errors.Join(err, detach(pid)) }()
	if err := unix.PtraceInterrupt(pid); err != nil {
		return nil, fmt.Errorf("process %d cannot be stopped: %w", pid, err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	for index := 0; ; index++ {
		p, err := filterAt(pid, index)
		if errors.Is(err, unix.ENOENT) {
			return stack, nil // no more
		}
		if index == 0 && errors.Is(err, unix.EINVAL) {
			return nil, wantUnfiltered(pid)
		}
		if err != nil {
			return nil, fmt.Errorf("the filters of process %d cannot be read: %w", pid, err)
		}
		stack = append(stack, p)
	}
}

// wantUnfiltered fails where a process that has no filter is one that has given them
// back because it is ending (seccomp_filter_release in kernel/seccomp.c): its mode
// stays.
func wantUnfiltered(pid int) error {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || !bytes.Contains(status, []byte("\nSeccomp:\t0\n")) {
		return fmt.Errorf("process %d is ending", pid)
	}
	return nil
}

func detach(pid int) error {
	if err := unix.PtraceDetach(pid); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("process %d cannot be released: %w", pid, err)
	}
	return nil
}

// filterAt is one filter of a stopped process, the first installed being 0.
func filterAt(pid, index int) (*Program, error) {
	n, _, errno := unix.Syscall6(unix.SYS_PTRACE, ptraceGetFilter, uintptr(pid), uintptr(index), 0, 0, 0)
	if errno != 0 {
		return nil, errno
	}
	if n == 0 {
		return nil, unix.EINVAL
	}
	p := &Program{Instructions: make([]unix.SockFilter, n)}
	if _, _, errno = unix.Syscall6(unix.SYS_PTRACE, ptraceGetFilter, uintptr(pid), uintptr(index), uintptr(unsafe.Pointer(&p.Instructions[0])), 0, 0); errno != 0 {
		return nil, errno
	}
	metadata := struct{ index, flags uint64 }{index: uint64(index)}
	if _, _, errno = unix.Syscall6(unix.SYS_PTRACE, ptraceGetMetadata, uintptr(pid), unsafe.Sizeof(metadata), uintptr(unsafe.Pointer(&metadata)), 0, 0); errno == 0 {
		p.Flags = uint(metadata.flags)
	}
	return p, nil
}
