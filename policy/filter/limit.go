package filter

import (
	"fmt"
	"runtime"
	"time"

	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// compileLimit is how much CPU time libseccomp may take: some profiles make it never
// return (docs/reference/floor.md). RuntimeDefault takes 25 ms. On a busy machine that
// much lasts longer, but never longer than waitLimit.
const (
	compileLimit = time.Second
	waitLimit    = 20 * time.Second
)

// ErrSlow is the error of [InTime] for lack of time.
var ErrSlow = fmt.Errorf("libseccomp takes more than %v to compile it, and so would runc at each start", compileLimit)

// InTime runs compile, which compiles s, within a limit of CPU time; larger profiles
// than Batten works on it refuses. Libseccomp cannot be stopped: after [ErrSlow] the
// process should end soon.
func InTime(s *specs.LinuxSeccomp, compile func() (*Program, error)) (*Program, error) {
	if err := semantics.CheckSize(s); err != nil {
		return nil, err
	}
	type result struct {
		program *Program
		err     error
	}
	done, thread := make(chan result, 1), make(chan int, 1)
	go func() {
		runtime.LockOSThread() // its time is the compiler's alone
		defer runtime.UnlockOSThread()
		thread <- unix.Gettid()
		program, err := compile()
		done <- result{program, err}
	}()
	tid, began := <-thread, time.Now()
	start := cpuTime(tid)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case r := <-done:
			return r.program, r.err
		case <-look.C:
			if cpuTime(tid)-start > compileLimit || time.Since(began) > waitLimit {
				return nil, ErrSlow
			}
		}
	}
}

// cpuTime returns the CPU time of a thread of this process; 0 where it is unknown. The
// clock is that of pthread_getcpuclockid(3): CPUCLOCK_SCHED of one thread
// (include/linux/posix-timers_types.h).
func cpuTime(tid int) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^tid<<3|6), &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
