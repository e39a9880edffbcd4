package tighten

import (
	"errors"
	"slices"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
)

// Target is a process by its number and the time it began at, in clock ticks since boot.
type Target struct {
	Pid       int
	StartTime uint64
}

// Report says what came of several processes.
type Report struct {
	// Tightened are those that were given the filter; of Already, that they had it.
	Tightened, Already []Target
	// NoNewPrivs are those that were put under no_new_privs.
	NoNewPrivs []Target
	// Unreached are those that are not proved to have the filter.
	Unreached []*Unreached
	// Looks is how often the processes were listed, and Longest how long some were stopped.
	Looks   int
	Longest time.Duration
}

// processLimit is how long All waits for one process to stop before it goes on to the next: longer
// than the 100 ms after which a cgroup at its limit of processor time runs again. RetryPause is how
// long it waits before it tries those again that were not reached.
const (
	processLimit = 500 * time.Millisecond
	retryPause   = 20 * time.Millisecond
	roundLeast   = 250 * time.Millisecond // of the last round, too
	giveLimit    = time.Second            // beyond the limit, for what is held
)

// quiet is how many lists in a row must have nothing new: cgroup v1 may leave a process out that was
// made while it wrote the list (pidlist_array_load in kernel/cgroup/cgroup-v1.c).
const quiet = 2

// List returns the processes that are to have a filter, as they are at that moment. It asks startTime
// for when a process began: procfs.StartTime waits for one that is just executing a program, which
// must not be waited for again once it is stopped.
type List func(startTime func(pid int) uint64) ([]Target, error)

// All puts a filter on all processes that list returns. It stops one after the other and lists them
// again, until every one is stopped: what makes others all the time does not get away, since each
// that is caught makes no more. Then it gives all the filter, and lets them go. Those that are not
// reached are tried again until limit is over, and are named in the report. The error is list's.
func All(f Filter, limit time.Duration, list List) (Report, error) {
	r := Report{}
	if err := usable(f); err != nil {
		return r, err
	}
	done := make(map[Target]bool)
	for until := time.Now().Add(limit); ; time.Sleep(retryPause) {
		h := holding{
			filter: f, list: list, until: later(until, time.Now().Add(roundLeast)), done: done, report: &r,
			held: make(map[Target]*process), began: make(map[int]uint64), failed: make(map[Target]*Unreached), gone: make(map[Target]bool),
		}
		r.Unreached = nil
		var err error
		onThreadThatEnds(func() { err = h.round() })
		if err != nil || len(r.Unreached) == 0 || time.Now().After(until) {
			return r, err
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// holding is one round of All: processes that are stopped together.
type holding struct {
	filter Filter
	list   List
	until  time.Time
	done   map[Target]bool // by all rounds
	report *Report
	held   map[Target]*process
	// began says when those that are held began: their numbers are nobody else's.
	began map[int]uint64
	// order are those that are held, the first one first; failed are those that are not reached, and
	// gone those that have ended.
	order  []Target
	failed map[Target]*Unreached
	gone   map[Target]bool
}

// round stops the processes, gives them the filter, and lets them go, when there is no other.
func (h *holding) round() error {
	began := time.Now()
	var err error
	for given := -1; err == nil && given < len(h.order); {
		given = len(h.order)
		if err = h.hold(); err != nil {
			break
		}
		for _, t := range h.order[given:] {
			h.give(t)
		}
	}
	for _, t := range h.order {
		h.held[t].release()
	}
	h.report.Longest = max(h.report.Longest, time.Since(began))
	for _, failed := range h.failed {
		h.report.Unreached = append(h.report.Unreached, failed)
	}
	slices.SortFunc(h.report.Unreached, func(a, b *Unreached) int { return a.Pid - b.Pid })
	return err
}

// hold stops processes until a list has none that runs, or the time is over.
func (h *holding) hold() error {
	for calm := 0; calm < quiet; calm++ {
		targets, err := h.list(h.startTime)
		if err != nil {
			return err
		}
		h.report.Looks++
		fresh := make(map[Target]*process)
		for _, t := range targets {
			if h.held[t] == nil && h.failed[t] == nil && !h.gone[t] {
				fresh[t], calm = &process{pid: t.Pid, filter: h.filter}, -1
				_, _ = fresh[t].interrupt() // those that are stopped leave the processors to the others
			}
		}
		for _, t := range targets {
			if p := fresh[t]; p != nil {
				h.stop(t, p)
			}
		}
	}
	return nil
}

func (h *holding) startTime(pid int) uint64 {
	if began, ok := h.began[pid]; ok {
		return began
	}
	return procfs.StartTime(pid)
}

// stop stops one process.
func (h *holding) stop(t Target, p *process) {
	p.until = time.Now().Add(processLimit)
	if p.until.After(h.until) {
		p.until = h.until
	}
	err := p.stop()
	// Its number may be another's by now; while it is held it is not.
	if procfs.StartTime(t.Pid) == t.StartTime && err == nil {
		h.held[t], h.began[t.Pid] = p, t.StartTime
		h.order = append(h.order, t)
		return
	}
	p.release()
	h.note(t, err)
}

// note notes why a process does not have the filter; an error that says that it has ended is not
// believed, as long as there is the process.
func (h *holding) note(t Target, err error) {
	var failed *Unreached
	switch there := procfs.StartTime(t.Pid) == t.StartTime; {
	case there && errors.As(err, &failed):
		h.failed[t] = failed
	case there && !ended(t.Pid):
		h.failed[t] = &Unreached{Pid: t.Pid, Reason: "does not hold still"}
	default:
		h.gone[t] = true
	}
}

// ended reports whether no thread of a process is left.
func ended(pid int) bool {
	s, err := procfs.StatusOf(pid)
	return err != nil || s.Ended() && s.Threads < 2
}

// give gives a process that is held the filter.
func (h *holding) give(t Target) {
	p := h.held[t]
	if time.Now().After(h.until.Add(giveLimit)) {
		h.failed[t] = &Unreached{Pid: t.Pid, Reason: "was not reached in time"}
		return
	}
	err := p.tighten()
	if p.NoNewPrivs {
		h.report.NoNewPrivs = append(h.report.NoNewPrivs, t)
	}
	switch {
	case err != nil:
		h.note(t, err)
		return
	case h.done[t]:
	case p.Already:
		h.report.Already = append(h.report.Already, t)
	default:
		h.report.Tightened = append(h.report.Tightened, t)
	}
	h.done[t] = true
}
