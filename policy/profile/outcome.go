package profile

import specs "github.com/opencontainers/runtime-spec/specs-go"

// outcome is what a filter does with a call, as the kernel acts on it.
// Outcomes are comparable, and the smaller order is the stricter one.
type outcome struct {
	order uint8
	data  uint16 // the errno of ERRNO, the message of TRACE; 0 for the others
}

// orders are the actions from the strictest to the loosest (seccomp(2), "the
// action which is applied ... highest precedence").
var orders = [...]specs.LinuxSeccompAction{
	specs.ActKillProcess, specs.ActKillThread, specs.ActTrap, specs.ActErrno,
	specs.ActNotify, specs.ActTrace, specs.ActLog, specs.ActAllow,
}

const (
	orderKillProcess uint8 = iota
	orderKillThread
	orderTrap
	orderErrno
	orderNotify
	orderTrace
	orderLog
	orderAllow
)

const (
	ePerm  = 1
	eNosys = 38
)

// enosys is what runc's stub answers to numbers above the highest that a
// profile names.
var enosys = outcome{orderErrno, eNosys}

// outcomeOf reads an action as runc does: without a number the errno is EPERM,
// and of a larger one 16 bits count, which the kernel caps. Ok is false for an
// action that runc does not know.
func outcomeOf(action specs.LinuxSeccompAction, errno *uint) (o outcome, ok bool) {
	action, number := effect(action, errno)
	for i, a := range orders {
		if a == action {
			o.order, ok = uint8(i), true
		}
	}
	o.data = uint16(number)
	if o.order == orderErrno {
		o.data = min(o.data, maxErrno)
	}
	return o, ok
}

// together is what the kernel does under two filters: the stricter action; at
// a tie with the data of the one installed last, which is own. One thing a
// single filter cannot have is two listeners: where only the older one notifies,
// the call fails with ENOSYS, as under a filter to which nobody listens.
func together(older, own outcome) outcome {
	switch {
	case older.order >= own.order:
		return own
	case older.order == orderNotify:
		return enosys
	}
	return older
}

// action is the outcome in runtime-spec's words.
func (o outcome) action() (specs.LinuxSeccompAction, *uint) {
	if o.order != orderErrno && o.order != orderTrace {
		return orders[o.order], nil
	}
	errno := uint(o.data)
	return orders[o.order], &errno
}

// hasStub reports whether runc puts its ENOSYS stub before a filter with this
// default.
func (o outcome) hasStub() bool { return o.order <= orderErrno }
