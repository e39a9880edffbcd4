package filter

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/batten-runtime/batten/internal/live"
	"github.com/batten-runtime/batten/internal/procfs"
	"golang.org/x/sys/unix"
)

// How long Live waits for a process, and for one of its threads.
const (
	liveLimit   = 500 * time.Millisecond
	threadLimit = 200 * time.Millisecond
)

// NotStopping is the error for a process of which no thread stops, so that its
// filters cannot be read: it is paused (cgroup v1's freezer), waits in the kernel
// (vfork(2) until the child has executed something), or another process traces it.
type NotStopping struct {
	Pid int
	// State is the process's in /proc, such as "D (disk sleep)"; Tracer is the
	// process that traces it, 0 if there is none.
	State  string
	Tracer int
}

func (e *NotStopping) Error() string {
	if e.Tracer != 0 {
		return fmt.Sprintf("process %d does not stop: process %d traces it", e.Pid, e.Tracer)
	}
	return fmt.Sprintf("process %d does not stop (state %s)", e.Pid, e.State)
}

// Live reads the filters that the kernel holds for a process, oldest first. Package
// internal/live says what it needs. Of the flags the kernel tells only LOG.
//
// Live stops one thread for as long as the reading takes: the first one, or another
// if the first does not stop. Threads differ in the filters that they have
// installed themselves; those that they were started with are the same. Live
// returns within a second, whatever the process does, and leaves nothing traced.
func Live(pid int) (Stack, error) {
	var first error
	until := time.Now().Add(liveLimit)
	for _, tid := range threads(pid) {
		filters, err := live.ReadThread(tid, min(threadLimit, max(time.Until(until), 0)))
		switch {
		case err == nil:
			return stackOf(filters), nil
		case !errors.Is(err, live.ErrRuns) && !errors.Is(err, live.ErrGone):
			return nil, fmt.Errorf("process %d %w", pid, err)
		case first == nil:
			first = err
		}
		if time.Now().After(until) {
			break
		}
	}
	state, err := procfs.StatusOf(pid)
	switch {
	case first == nil, err != nil:
		return nil, fmt.Errorf("process %d cannot be traced: %w", pid, unix.ESRCH)
	case errors.Is(first, live.ErrGone):
		return nil, fmt.Errorf("process %d is ending", pid)
	}
	return nil, &NotStopping{Pid: pid, State: cmp.Or(state.State, "unknown"), Tracer: state.Tracer}
}

// stackOf returns the filters of a thread as a stack.
func stackOf(filters []live.Filter) (s Stack) {
	for _, f := range filters {
		s = append(s, &Program{Instructions: f.Instructions, Flags: uint(f.Flags)})
	}
	return s
}

// maxThreads is how many threads of a process Live tries.
const maxThreads = 16

// threads returns the threads of a process in the order in which Live tries them: the
// first one, unless it waits in the kernel or has ended, then the others.
func threads(pid int) []int {
	all, _ := procfs.Tasks(pid)
	rank := make(map[int]int)
	for _, tid := range all {
		switch s, err := procfs.StatusOf(tid); {
		case err != nil || s.Ended():
			rank[tid] = 3
		case s.State != "" && s.State[0] == 'D':
			rank[tid] = 2
		case tid != pid:
			rank[tid] = 1
		}
	}
	slices.SortFunc(all, func(a, b int) int { return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(a, b)) })
	return all[:min(len(all), maxThreads)]
}
