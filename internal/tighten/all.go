package tighten

import (
	"errors"
	"slices"
	"time"
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

// ErrBusy is the error for processes that make others faster than these can be stopped.
var ErrBusy = errors.New("its processes make others faster than these can be stopped")

// processLimit is how long All waits at one process before it goes on to the next; retryPause is
// how long it waits before it tries those again that were not reached.
const (
	processLimit = 50 * time.Millisecond
	retryPause   = 20 * time.Millisecond
	roundLeast   = 250 * time.Millisecond // of the last round, too
)

// quiet is how many lists in a row must have nothing new: cgroup v1 may leave a process out that was
// made while it wrote the list (pidlist_array_load in kernel/cgroup/cgroup-v1.c).
const quiet = 2

// All puts a filter on all processes that list returns. It stops one after the other and lists them
// again, until every one is stopped: what makes others all the time does not get away, since each
// that is caught makes no more. Then it gives all the filter, and lets them go. Those that are not
// reached are tried again until limit is over, and are named. The error is [ErrBusy], or list's.
func All(f Filter, limit time.Duration, list func() ([]Target, error)) (Report, error) {
	r := Report{}
	if err := usable(f); err != nil {
		return r, err
	}
	done := make(map[Target]bool)
	for until := time.Now().Add(limit); ; time.Sleep(retryPause) {
		h := holding{filter: f, list: list, until: later(until, time.Now().Add(roundLeast)), done: done, report: &r, held: make(map[Target]*process)}
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
	list   func() ([]Target, error)
	until  time.Time
	done   map[Target]bool // by all rounds
	report *Report
	held   map[Target]*process
	// order are those that are held, the first one first; failed are those that do not stop or,
	// with a Pid of 0, have ended.
	order  []Target
	failed map[Target]*Unreached
}

// round stops the processes, gives them the filter, and lets them go.
func (h *holding) round() error {
	began := time.Now()
	err := h.hold()
	for _, t := range h.order {
		h.give(t)
	}
	for _, t := range h.order {
		h.held[t].release()
	}
	h.report.Longest = max(h.report.Longest, time.Since(began))
	for _, failed := range h.failed {
		if failed.Pid != 0 {
			h.report.Unreached = append(h.report.Unreached, failed)
		}
	}
	slices.SortFunc(h.report.Unreached, func(a, b *Unreached) int { return a.Pid - b.Pid })
	return err
}

// hold stops processes until a list has none that runs.
func (h *holding) hold() error {
	h.failed = make(map[Target]*Unreached)
	for calm := 0; calm < quiet; calm++ {
		targets, err := h.list()
		if err != nil {
			return err
		}
		h.report.Looks++
		for _, t := range targets {
			if h.held[t] != nil || h.failed[t] != nil {
				continue
			}
			p := &process{pid: t.Pid, filter: h.filter, until: time.Now().Add(processLimit)}
			var failed *Unreached
			switch err := p.stop(); {
			case err == nil && len(p.lendable()) > 0:
				h.held[t] = p
				h.order = append(h.order, t)
				calm = -1
				continue
			case err == nil && errors.As(p.notStopping(), &failed):
				h.failed[t] = failed
			default: // it has ended, and may have made others
				h.failed[t], calm = &Unreached{}, -1
			}
			p.release()
		}
		if calm < 0 && time.Now().After(h.until) {
			return ErrBusy
		}
	}
	return nil
}

// give gives a process that is held the filter.
func (h *holding) give(t Target) {
	p := h.held[t]
	err := p.tighten()
	var failed *Unreached
	switch {
	case errors.As(err, &failed):
		h.failed[t] = failed
	case h.done[t], err != nil: // it has ended
	case p.Already:
		h.report.Already = append(h.report.Already, t)
	default:
		h.report.Tightened = append(h.report.Tightened, t)
	}
	if p.NoNewPrivs {
		h.report.NoNewPrivs = append(h.report.NoNewPrivs, t)
	}
	h.done[t] = true
}
