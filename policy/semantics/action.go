package semantics

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Outcome is what a filter does with a call, as the kernel acts on it.
// Outcomes are comparable, and the smaller order is the stricter one.
type Outcome struct {
	Order uint8
	Data  uint16 // the errno of ERRNO, the message of TRACE; 0 for the others
}

// orders are the actions from the strictest to the loosest (seccomp(2), "the
// action which is applied ... highest precedence").
var orders = [...]specs.LinuxSeccompAction{
	specs.ActKillProcess, specs.ActKillThread, specs.ActTrap, specs.ActErrno,
	specs.ActNotify, specs.ActTrace, specs.ActLog, specs.ActAllow,
}

const (
	OrderKillProcess uint8 = iota
	orderKillThread
	orderTrap
	OrderErrno
	orderNotify
	orderTrace
	orderLog
	orderAllow
)

const (
	EPerm  = 1
	ENosys = 38
)

// Enosys is what runc's stub answers to numbers above the highest that a
// profile names.
var Enosys = Outcome{OrderErrno, ENosys}

// outcomeOf reads an action as runc does: without a number the errno is EPERM,
// and of a larger one 16 bits count, which the kernel caps. Ok is false for an
// action that runc does not know.
func outcomeOf(action specs.LinuxSeccompAction, errno *uint) (o Outcome, ok bool) {
	action, number := Effect(action, errno)
	for i, a := range orders {
		if a == action {
			o.Order, ok = uint8(i), true
		}
	}
	o.Data = uint16(number)
	if o.Order == OrderErrno {
		o.Data = min(o.Data, MaxErrno)
	}
	return o, ok
}

// Together returns what the kernel does under two filters: the stricter action; at
// a tie with the data of the one installed last, which is own. One thing a
// single filter cannot have is two listeners: where only the older one notifies,
// the call fails with ENOSYS, as under a filter to which nobody listens.
func Together(older, own Outcome) Outcome {
	switch {
	case older.Order >= own.Order:
		return own
	case older.Order == orderNotify:
		return Enosys
	}
	return older
}

// Either returns the looser of two outcomes; at a tie it has the data of own.
func Either(other, own Outcome) Outcome {
	if other.Order > own.Order {
		return other
	}
	return own
}

// Action returns the outcome in runtime-spec's words.
func (o Outcome) Action() (specs.LinuxSeccompAction, *uint) {
	if o.Order != OrderErrno && o.Order != orderTrace {
		return orders[o.Order], nil
	}
	errno := uint(o.Data)
	return orders[o.Order], &errno
}

// HasStub reports whether runc puts its ENOSYS stub before a filter with this
// default.
func (o Outcome) HasStub() bool { return o.Order <= OrderErrno }

// outcomeOfReturn reads a filter's answer as the kernel does (seccomp(2)).
func outcomeOfReturn(ret uint32) Outcome {
	data := uint16(ret & unix.SECCOMP_RET_DATA)
	switch ret & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_KILL_THREAD:
		return Outcome{Order: orderKillThread}
	case unix.SECCOMP_RET_TRAP:
		return Outcome{Order: orderTrap}
	case unix.SECCOMP_RET_ERRNO:
		return Outcome{OrderErrno, min(data, MaxErrno)}
	case unix.SECCOMP_RET_USER_NOTIF:
		return Outcome{Order: orderNotify}
	case unix.SECCOMP_RET_TRACE:
		return Outcome{orderTrace, data}
	case unix.SECCOMP_RET_LOG:
		return Outcome{Order: orderLog}
	case unix.SECCOMP_RET_ALLOW:
		return Outcome{Order: orderAllow}
	}
	return Outcome{Order: OrderKillProcess}
}

func (o Outcome) String() string {
	name := string(orders[o.Order])
	switch {
	case o.Order == OrderErrno && unix.ErrnoName(unix.Errno(o.Data)) != "":
		return name + "(" + unix.ErrnoName(unix.Errno(o.Data)) + ")"
	case o.Order == OrderErrno, o.Order == orderTrace:
		return fmt.Sprintf("%s(%d)", name, o.Data)
	}
	return name
}

// Effect returns what libseccomp is told for an action: the errno matters for two.
func Effect(action specs.LinuxSeccompAction, errno *uint) (specs.LinuxSeccompAction, uint) {
	if action == specs.ActKill {
		action = specs.ActKillThread
	}
	if action != specs.ActErrno && action != specs.ActTrace {
		return action, 0
	}
	if errno == nil {
		return action, EPerm // runtime-spec's default
	}
	return action, *errno
}

// Permits reports whether action lets the call through.
func Permits(action specs.LinuxSeccompAction) bool {
	return action == specs.ActAllow || action == specs.ActLog
}

// MaxErrno is the largest errno that the kernel returns for a filter
// (MAX_ERRNO in include/linux/err.h); it caps larger ones.
const MaxErrno = 4095
