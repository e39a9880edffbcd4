package tighten

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// errSlow is the error for a process whose memory does not answer.
var errSlow = errors.New("its memory cannot be read or written: that does not return")

// ErrGone is the error for a process that has ended meanwhile.
var ErrGone = errors.New("has ended")

// Filter is what is put on a process.
type Filter struct {
	// Instructions are the program, at most 4096 (BPF_MAXINSNS).
	Instructions []bpf.Instruction
	// Flags are SECCOMP_FILTER_FLAG_LOG and _SPEC_ALLOW, or 0.
	Flags uint
}

// Result says what was done to a process.
type Result struct {
	// Already is set where all threads had the filter; nothing was changed then.
	Already bool
	// NoNewPrivs is set where the process had to be put under no_new_privs: programs that
	// it executes gain nothing any more by their setuid bits and file capabilities.
	NoNewPrivs bool
	// Threads is how many threads were read back, and Stopped how long they were stopped.
	Threads int
	Stopped time.Duration
}

// Unreached is the error for a process that could not be tightened, or not be proved to be.
type Unreached struct {
	Pid    int
	Reason string
	err    error // what it wraps
}

func (e *Unreached) Unwrap() error { return e.err }

func (e *Unreached) Error() string { return fmt.Sprintf("process %d: %s", e.Pid, e.Reason) }

func unreached(pid int, format string, args ...any) error {
	return &Unreached{Pid: pid, Reason: fmt.Sprintf(format, args...)}
}

// Process puts a filter on all threads of a process of this machine, unless they have it. It waits
// at most limit for a thread to stop. The error is [ErrGone], or *Unreached with the reason. The
// process goes on, unless it cannot be put back: this process dies, or the process is frozen or its
// code is changed, just while a thread of it is lent.
//
// It needs CAP_SYS_PTRACE and CAP_SYS_ADMIN, no filter on the caller, and a kernel with
// CONFIG_CHECKPOINT_RESTORE.
func Process(pid int, f Filter, limit time.Duration) (Result, error) {
	if err := usable(f); err != nil {
		return Result{}, err
	}
	p := process{pid: pid, filter: f}
	var err error
	onThreadThatEnds(func() {
		began := time.Now()
		p.until = began.Add(limit)
		if err = p.stop(); err == nil {
			err = p.tighten()
		}
		p.release()
		p.Stopped = time.Since(began)
	})
	return p.Result, err
}

// Supported returns an error on machines where no running process can be given a filter.
func Supported() error { return supported() }

// usable returns an error if no process could be given the filter.
func usable(f Filter) error {
	if err := supported(); err != nil {
		return err
	}
	if _, err := bpf.Check(f.Instructions); err != nil {
		return fmt.Errorf("the filter: %w", err)
	}
	return nil
}

// onThreadThatEnds calls f on a thread that ends then: the kernel releases what it still traces,
// and that is all that releases a thread which does not stop. Go never ends the first thread.
func onThreadThatEnds(f func()) {
	done := make(chan int)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if unix.Gettid() == unix.Getpid() {
			onThreadThatEnds(f)
			done <- 0
			return
		}
		f()
		done <- unix.Gettid()
	}()
	// The thread is gone soon after; another may get its number.
	const pause, most = 50 * time.Microsecond, 1000
	tid := <-done
	for n := 0; tid != 0 && n < most && unix.Tgkill(unix.Getpid(), tid, 0) == nil; n++ {
		time.Sleep(pause)
	}
}

// process is one that is being tightened.
type process struct {
	Result
	pid    int
	filter Filter
	until  time.Time
	// threads are those that were seized; seized is what came of trying, for each thread.
	threads []*thread
	seized  map[int]error
}

// tighten puts the filter on the stopped process.
func (p *process) tighten() error {
	missing, err := p.missing()
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		p.Already = true
		return nil
	}
	if err := p.install(p.lendable()); err != nil {
		return err
	}
	missing, err = p.missing()
	switch {
	case err != nil:
		return err
	case len(missing) > 0:
		return unreached(p.pid, "its thread %d is not proved to have the filter", missing[0].tid)
	}
	return nil
}

// install lends threads, until one has put the filter on all, or each on itself.
func (p *process) install(lent []*thread) error {
	var first error
	for _, t := range lent {
		done, err := p.lend(t, tsync)
		switch {
		case done:
			return nil
		case errors.Is(err, errDiverged):
			return p.installOnEach()
		case errors.Is(err, ErrGone), errors.Is(err, errSlow):
			return err
		case first == nil:
			first = err
		}
	}
	return first
}

// allStopped reports whether no thread waits in the kernel.
func (p *process) allStopped() bool {
	return !slices.ContainsFunc(p.threads, func(t *thread) bool { return !t.stopped && !t.gone })
}

// installOnEach puts the filter on each thread by itself: their filters differ, and the kernel
// then gives none to another (seccomp(2), SECCOMP_FILTER_FLAG_TSYNC).
func (p *process) installOnEach() error {
	if !p.allStopped() {
		return unreached(p.pid, "its threads have different filters, and not all of them stop")
	}
	missing, err := p.missing()
	if err != nil {
		return err
	}
	for _, t := range missing {
		if _, err := p.lend(t, 0); err != nil {
			return err
		}
	}
	return nil
}
