package tighten

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"golang.org/x/sys/unix"
)

// thread is one that this package traces.
type thread struct {
	tid int
	// stopped is set while it is in a ptrace-stop that has been waited for; gone after its end.
	stopped, gone bool
	// strict is set for a thread in the strict mode of seccomp(2), which can do nothing but read,
	// write and end.
	strict bool
}

// stop interrupts all threads and waits for them, until a look finds none that is new: a thread that
// makes others stops only when it has. Then nothing of the process can run a program's code any more.
// The error is ErrGone, or *Unreached where a thread is not held.
func (p *process) stop() error {
	for waited := 0; ; {
		fresh, err := p.interrupt()
		if err != nil {
			return err
		}
		if !fresh && waited == len(p.threads) {
			return p.held()
		}
		for _, t := range p.threads[waited:] {
			t.wait(p.until, false)
		}
		waited = len(p.threads)
		if fresh && time.Now().After(p.until) {
			return unreached(p.pid, "its threads make others faster than these can be stopped")
		}
	}
}

// interrupt seizes and interrupts the threads that it has not yet, and reports whether there are
// such.
func (p *process) interrupt() (fresh bool, err error) {
	tids, err := procfs.Tasks(p.pid)
	if err != nil {
		return false, ErrGone
	}
	if p.seized == nil {
		p.seized = make(map[int]error)
	}
	for _, tid := range tids {
		if _, ok := p.seized[tid]; ok {
			continue
		}
		fresh = true
		if p.seized[tid] = unix.PtraceSeize(tid); p.seized[tid] != nil {
			continue // it has ended, or another traces it
		}
		p.threads = append(p.threads, &thread{tid: tid})
		_ = unix.PtraceInterrupt(tid)
	}
	return fresh, nil
}

// held returns an error unless each living thread is stopped, or waits in the kernel and will stop
// before it runs a program's code, and at least one is stopped.
func (p *process) held() error {
	own := make(map[int]*thread)
	for _, t := range p.threads {
		own[t.tid] = t
	}
	tids, err := procfs.Tasks(p.pid)
	if err != nil {
		return ErrGone
	}
	stopped, last := 0, procfs.Status{}
	for _, tid := range tids {
		s, err := procfs.StatusOf(tid)
		if err != nil || s.Ended() {
			continue
		}
		t := own[tid]
		switch {
		case t != nil && t.stopped:
			t.strict = s.Seccomp == unix.SECCOMP_MODE_STRICT
			stopped++
		case t != nil && !t.gone && strings.HasPrefix(s.State, "D"):
			last = s
		case t == nil && s.Tracer != 0:
			return unreached(p.pid, "process %d traces it", s.Tracer)
		case t == nil && p.seized[tid] != nil:
			return unreached(p.pid, "its thread %d cannot be traced: %v", tid, p.seized[tid])
		case t == nil || t.gone: // it has become another one by execve(2)
			return unreached(p.pid, "executes another program")
		default:
			return unreached(p.pid, "does not stop (state %s)", s.State)
		}
	}
	switch {
	case stopped > 0:
		return nil
	case last.State != "":
		return unreached(p.pid, "does not stop (state %s)", last.State)
	}
	return ErrGone
}

// mostLendable is how many threads are tried.
const mostLendable = 4

// lendable returns the threads that can make calls, those that wait in a call first: they are in
// no restartable sequence (rseq(2)).
func (p *process) lendable() []*thread {
	var waiting, busy []*thread
	for _, t := range p.threads {
		switch {
		case !t.stopped, t.strict:
		case t.inCall():
			waiting = append(waiting, t)
		default:
			busy = append(busy, t)
		}
		if len(waiting) == mostLendable {
			return waiting
		}
	}
	out := append(waiting, busy...)
	return out[:min(len(out), mostLendable)]
}

// missing returns the stopped threads that do not have the filter.
func (p *process) missing() (out []*thread, err error) {
	p.Threads = 0
	for _, t := range p.threads {
		if !t.stopped {
			continue
		}
		if t.strict {
			p.Threads++
			continue
		}
		has, err := t.has(p.filter)
		switch {
		case errors.Is(err, unix.ESRCH):
			t.stopped, t.gone = false, true // killed
			continue
		case err != nil:
			return nil, unreached(p.pid, "the filters of its thread %d cannot be read: %v", t.tid, err)
		case !has:
			out = append(out, t)
		}
		p.Threads++
	}
	if p.Threads == 0 {
		return nil, ErrGone
	}
	return out, nil
}

// release lets the threads go on. Those that have not stopped are released when the caller's
// thread ends.
func (p *process) release() {
	for _, t := range p.threads {
		if t.stopped {
			_ = unix.PtraceDetach(t.tid)
		}
	}
}

// Stops as wait4(2) tells them (ptrace(2)).
const (
	eventStop   = unix.PTRACE_EVENT_STOP
	syscallStop = unix.SIGTRAP | 0x80 // with PTRACE_O_TRACESYSGOOD
)

// wait waits until the thread is interrupted or, with inCall, in a syscall-stop. It passes signals
// on that come first, and reports whether the stop came before the deadline.
func (t *thread) wait(until time.Time, inCall bool) bool {
	t.stopped = false
	const shortest, longest, look = 10 * time.Microsecond, 320 * time.Microsecond, 10
	yields, pause := 60, shortest
	if realTime.Load() { // nobody else would run while it yields
		yields = 0
	}
	for n := -yields; ; n++ {
		var status unix.WaitStatus
		got, err := unix.Wait4(t.tid, &status, unix.WNOHANG|unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil, got != 0 && (status.Exited() || status.Signaled()):
			t.gone = true
			return false
		case got == 0 && time.Now().After(until):
			return false
		case got == 0 && n < 0:
			_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
			continue
		case got == 0 && !inCall && n%look == look-1 && t.waits():
			return false
		case got == 0:
			_ = unix.Nanosleep(&unix.Timespec{Nsec: int64(pause)}, nil)
			pause = min(2*pause, longest)
			continue
		}
		event, signal := int(status)>>16, status.StopSignal()
		switch {
		case !inCall && event == eventStop, inCall && event == 0 && signal == syscallStop:
			t.stopped = true
			return true
		case event != 0 || signal == syscallStop:
			signal = 0 // a stop of the whole process, by SIGSTOP: this thread goes on for now
		}
		if err := t.resume(inCall, signal); err != nil {
			t.gone = true
			return false
		}
	}
}

// waits reports whether the thread waits in the kernel for what cannot be interrupted.
func (t *thread) waits() bool {
	s, err := procfs.StatusOf(t.tid)
	return err == nil && strings.HasPrefix(s.State, "D")
}

// resume lets the stopped thread go on, with toCall until its next syscall-stop.
func (t *thread) resume(toCall bool, signal unix.Signal) error {
	if toCall {
		return unix.PtraceSyscall(t.tid, int(signal))
	}
	return unix.PtraceCont(t.tid, int(signal))
}

// request makes a request of ptrace(2) that x/sys does not have.
func (t *thread) request(request int, addr, data uintptr) (uintptr, error) {
	n, _, errno := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(t.tid), addr, data, 0, 0)
	if errno != 0 {
		return 0, fmt.Errorf("ptrace: %w", errno)
	}
	return n, nil
}
