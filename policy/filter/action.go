package filter

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Result is a filter's answer to one call: the action and its data, as the kernel acts on
// them. Results are comparable.
type Result struct {
	// Action is a SECCOMP_RET_* value of linux/seccomp.h.
	Action uint32
	// Data is the errno of SECCOMP_RET_ERRNO, at most 4095 as the kernel caps
	// it, or the message of SECCOMP_RET_TRACE. Of SECCOMP_RET_USER_NOTIF it tells
	// the listeners of one comparison apart. It is 0 for the others, which ignore it.
	Data uint16
}

// maxErrno caps the errno of a filter (MAX_ERRNO, kernel/seccomp.c).
const maxErrno = 4095

// result reads a filter's return value. The kernel treats a value that it does not know as
// SECCOMP_RET_KILL_PROCESS.
func result(ret uint32) Result {
	action, data := ret&unix.SECCOMP_RET_ACTION_FULL, uint16(ret&unix.SECCOMP_RET_DATA)
	switch action {
	case unix.SECCOMP_RET_ERRNO:
		return Result{action, min(data, maxErrno)}
	case unix.SECCOMP_RET_TRACE:
		return Result{action, data}
	case unix.SECCOMP_RET_KILL_THREAD, unix.SECCOMP_RET_TRAP, unix.SECCOMP_RET_USER_NOTIF,
		unix.SECCOMP_RET_LOG, unix.SECCOMP_RET_ALLOW:
		return Result{action, 0}
	}
	return Result{unix.SECCOMP_RET_KILL_PROCESS, 0}
}

// looser reports whether a is looser than b: the kernel compares the actions as signed
// numbers and takes the least (seccomp_run_filters, kernel/seccomp.c). If a notifies
// another listener than b, a counts as looser: that listener may let everything through.
func (a Result) looser(b Result) bool {
	return int32(a.Action) > int32(b.Action) || a.elsewhere(b)
}

// elsewhere reports whether a and b notify two different listeners.
func (a Result) elsewhere(b Result) bool {
	return a.Action == unix.SECCOMP_RET_USER_NOTIF && b.Action == a.Action && a.Data != b.Data
}

// stricter returns what the kernel does under two filters, of which own was
// installed last: at a tie its data counts.
func stricter(older, own Result) Result {
	if own.looser(older) {
		return older
	}
	return own
}

// looser returns the looser of two results; at a tie own counts.
func looser(other, own Result) Result {
	if other.looser(own) {
		return other
	}
	return own
}

// permits reports whether the call is carried out.
func (a Result) permits() bool {
	return a.Action == unix.SECCOMP_RET_ALLOW || a.Action == unix.SECCOMP_RET_LOG
}

func (a Result) String() string {
	switch a.Action {
	case unix.SECCOMP_RET_KILL_PROCESS:
		return "KILL_PROCESS"
	case unix.SECCOMP_RET_KILL_THREAD:
		return "KILL_THREAD"
	case unix.SECCOMP_RET_TRAP:
		return "TRAP"
	case unix.SECCOMP_RET_ERRNO:
		if name := unix.ErrnoName(unix.Errno(a.Data)); name != "" {
			return "ERRNO(" + name + ")"
		}
		return fmt.Sprintf("ERRNO(%d)", a.Data)
	case unix.SECCOMP_RET_USER_NOTIF:
		if a.Data > 1 {
			return "NOTIFY (another listener)"
		}
		return "NOTIFY"
	case unix.SECCOMP_RET_TRACE:
		return fmt.Sprintf("TRACE(%d)", a.Data)
	case unix.SECCOMP_RET_LOG:
		return "LOG"
	}
	return "ALLOW"
}
