package tighten

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"golang.org/x/sys/unix"
)

// realTime is set where this process has a processor whenever it wants one.
var realTime atomic.Bool

// Hurry has this process go before others: what it stops waits for it, on a busy machine for as long
// as it waits itself. Where the kernel lets it, it runs in real time (sched(7), SCHED_RR), else by its
// nice value, which counts within its cgroup or its session alone. Real time ends after a limit, so that
// nothing which makes this process work for long takes the machine's processors away. The error is
// EACCES or EPERM without CAP_SYS_NICE (setpriority(2)).
func Hurry(limit time.Duration) error {
	threads, err := procfs.Tasks(os.Getpid()) // later ones are as the one that makes them
	if err != nil {
		return err
	}
	if each(threads, inRealTime) != nil {
		return each(threads, nicest)
	}
	realTime.Store(true)
	time.AfterFunc(limit, func() {
		realTime.Store(false)
		for range 2 { // a thread that has not had its turn yet may have made another
			threads, _ := procfs.Tasks(os.Getpid())
			_ = each(threads, inNoRealTime)
		}
	})
	return nil
}

func inRealTime(tid int) error {
	return unix.SchedSetAttr(tid, &unix.SchedAttr{Policy: unix.SCHED_RR, Priority: 1}, 0)
}

func inNoRealTime(tid int) error {
	return unix.SchedSetAttr(tid, &unix.SchedAttr{Policy: unix.SCHED_NORMAL, Nice: -20}, 0)
}

func nicest(tid int) error { return unix.Setpriority(unix.PRIO_PROCESS, tid, -20) }

// each does it to each thread, unless it has ended.
func each(threads []int, do func(tid int) error) error {
	for _, tid := range threads {
		if err := do(tid); err != nil && err != unix.ESRCH {
			return err
		}
	}
	return nil
}
