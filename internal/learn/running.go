package learn

import (
	"errors"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/status"
)

// rounds is how often the processes of the node are listed at most, until there is none that is
// not recorded: what is forked meanwhile by a process that is recorded is recorded, too.
const rounds = 10

// findRunning records the containers that are wanted and run already.
func (s *Session) findRunning() error {
	if s.Wanted.None() {
		return nil
	}
	records := s.records(record.Store{Dir: s.Records}.Readable)
	known := make(map[procID]bool)
	for range rounds {
		more, err := s.addRunning(records, known)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// procID names a process for good.
type procID struct {
	pid   int
	start uint64
}

// addRunning records processes that are not recorded yet, and reports whether there were any.
func (s *Session) addRunning(records []*record.Record, known map[procID]bool) (more bool, err error) {
	processes, err := procfs.All("/proc")
	if err != nil {
		return false, err
	}
	for _, c := range status.Find(processes, records).Containers {
		if !s.Wanted.wants(c.ID, c.Record) {
			continue
		}
		for _, p := range c.Members() {
			id := procID{p.Pid, p.StartTime}
			if known[id] || onItsWay(p.Pid) {
				continue
			}
			known[id], more = true, true
			if err := s.addProcess(&c, p); err != nil {
				return false, err
			}
		}
	}
	return more, nil
}

// onItsWay reports whether a process is still the runtime's, before the container's program: that
// is recorded from its first instruction.
func onItsWay(pid int) bool {
	comm := procfs.Command(pid)
	return strings.HasPrefix(comm, "runc:") || comm == "crun"
}

// addProcess records one process of a container.
func (s *Session) addProcess(c *status.Container, p procfs.Process) error {
	owner := ""
	if c.Record != nil {
		owner = c.Record.Owner()
	}
	for _, w := range s.watched {
		if w.ID == c.ID && w.owner == owner {
			return s.recorder.Add(w.tags[0], p.Pid)
		}
	}
	tag, err := s.recorder.Take()
	if errors.Is(err, recorder.ErrFull) {
		s.unrecorded++
		return nil
	}
	if err != nil {
		return err
	}
	w := newWatched(c.ID, c.Record, time.Now().Round(0))
	w.describe(p.Pid)
	w.tags, w.mounts = []recorder.Tag{tag}, p.Mounts
	s.watched, s.seen = append(s.watched, w), true
	s.say("%s: runs already; recorded from now on", w.title())
	return s.recorder.Add(tag, p.Pid)
}
