package tighten

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"golang.org/x/sys/unix"
)

// thread is one that this package traces.
type thread struct {
	tid int
	// stopped is set while it is in a ptrace-stop that has been waited for; gone after its end.
	stopped, gone bool
}

// stop seizes and interrupts all threads, until there are no new ones: a thread that makes another
// stops only when it is made, so that a second look finds that.
func (p *process) stop() error {
	seen := make(map[int]bool)
	for {
		entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(p.pid), "task"))
		if err != nil {
			return ErrGone
		}
		var fresh []*thread
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil || seen[tid] {
				continue
			}
			seen[tid] = true
			if unix.PtraceSeize(tid) != nil {
				continue // it has ended, or another traces it
			}
			t := &thread{tid: tid}
			p.threads, fresh = append(p.threads, t), append(fresh, t)
			_ = unix.PtraceInterrupt(tid)
		}
		if len(fresh) == 0 {
			return nil
		}
		for _, t := range fresh {
			t.wait(p.until, false)
		}
	}
}

// lendable returns the threads that can make calls, those that wait in a call first: they are in
// no restartable sequence (rseq(2)).
func (p *process) lendable() (out []*thread) {
	for _, t := range p.threads {
		if t.stopped {
			out = append(out, t)
		}
	}
	const most = 4
	slices.SortStableFunc(out, func(a, b *thread) int { return a.busy() - b.busy() })
	return out[:min(len(out), most)]
}

// allStopped reports whether every thread that has not ended is stopped.
func (p *process) allStopped() bool {
	ours := make(map[int]bool)
	for _, t := range p.threads {
		ours[t.tid] = t.stopped || t.gone
	}
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(p.pid), "task"))
	if err != nil {
		return false
	}
	for _, e := range entries {
		tid, err := strconv.Atoi(e.Name())
		if err != nil || ours[tid] {
			continue
		}
		if s, err := procfs.StatusOf(tid); err == nil && !s.Ended() {
			return false
		}
	}
	return true
}

// notStopping says why no thread can be lent.
func (p *process) notStopping() error {
	s, err := procfs.StatusOf(p.pid)
	switch {
	case err != nil, s.Ended() && s.Threads < 2:
		return ErrGone
	case s.Tracer != 0 && !slices.ContainsFunc(p.threads, func(t *thread) bool { return t.tid == p.pid }):
		return unreached(p.pid, "process %d traces it", s.Tracer)
	}
	return unreached(p.pid, "does not stop (state %s)", s.State)
}

// missing returns the stopped threads that do not have the filter.
func (p *process) missing() (out []*thread, err error) {
	p.Threads = 0
	for _, t := range p.threads {
		if !t.stopped {
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
	const yields, pause = 30, 50 * time.Microsecond
	for n := 0; ; n++ {
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
		case got == 0 && n < yields:
			_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
			continue
		case got == 0:
			time.Sleep(pause)
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
