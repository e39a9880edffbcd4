package learn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/profile"
)

// Options are what a session records.
type Options struct {
	Wanted Wanted
	// Records is the directory of the node's records.
	Records string
	// Arguments are recorded besides those that always are.
	Arguments []recorder.Argument
	// Say is told what happens, in one line each.
	Say func(format string, args ...any)
}

// Session records from Open to Close.
type Session struct {
	Options
	recorder *recorder.Recorder
	watched  []*watched
	done     []recording.Container
	// own are processes that were started to be recorded, with what is known of them.
	own map[int]recording.Container
	// unnamed counts programs that ended before it was known which container they were of.
	unnamed uint64
	// unrecorded counts containers that ran already, and for which there was no room.
	unrecorded uint64
	// host is the mount namespace of the machine's first process, empty if that cannot be read: no
	// container's.
	host string
	// unreadable is what was said last of records that cannot be read.
	unreadable string
	// seen reports whether anything was recorded.
	seen bool
}

// Open begins to record. What is wanted and runs already is recorded from now on. The error is
// *[recorder.Unable] if something is missing on this machine.
func Open(o Options) (*Session, error) {
	if err := o.Wanted.Check(); err != nil {
		return nil, err
	}
	r, err := recorder.Open(recorder.Options{Arguments: o.Arguments})
	if err != nil {
		return nil, err
	}
	s := &Session{Options: o, recorder: r, own: make(map[int]recording.Container)}
	s.host, _ = os.Readlink("/proc/1/ns/mnt")
	if err := s.findRunning(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return s, nil
}

// A session looks for containers that have ended at each tick, after what the kernel told; on a
// node that tells of new ones without a pause, after a second.
const (
	tick = 200 * time.Millisecond
	busy = time.Second
)

// Run records until ctx is done or, if ended is set, until all containers have ended that were
// recorded, at least one.
func (s *Session) Run(ctx context.Context, ended bool) error {
	for next := time.Now().Add(tick); ctx.Err() == nil; {
		n, err := s.recorder.Next(next)
		if err == nil {
			if err = s.sort(n); err == nil && time.Since(next) < busy {
				continue
			}
		}
		if err != nil && !errors.Is(err, recorder.ErrDone) {
			return err
		}
		if err := s.look(); err != nil {
			return err
		}
		if ended && len(s.watched) == 0 && (s.seen || s.ownEnded()) {
			break
		}
		next = time.Now().Add(tick)
	}
	return s.drain()
}

// ownEnded reports whether what was started to be recorded has ended. The kernel told nothing of it
// if there was no room: see [recording.Lost].
func (s *Session) ownEnded() bool {
	for pid := range s.own {
		if procfs.Lives(pid) {
			return false
		}
	}
	return len(s.own) > 0
}

// drain takes what the kernel has told already, and nothing that begins meanwhile.
func (s *Session) drain() error {
	for began := time.Now(); ; {
		n, err := s.recorder.Next(time.Now().Add(time.Millisecond))
		if errors.Is(err, recorder.ErrDone) || n.Time.After(began) {
			return nil
		}
		if err == nil {
			err = s.sort(n)
		}
		if err != nil {
			return err
		}
	}
}

// sort says what becomes of a mount namespace that is new.
func (s *Session) sort(n recorder.New) error {
	if own, ok := s.own[n.Pid]; ok {
		delete(s.own, n.Pid)
		w := newWatched(own.ID, nil, n.Time)
		w.Command, w.Name = own.Command, own.Name
		return s.begin(w, n)
	}
	if n.Mounts == s.host {
		return s.recorder.Ignore(n)
	}
	records := s.records(record.Store{Dir: s.Records}.All) // of what has just ended, too
	id, rec := whoIs(n, records)
	for _, w := range s.watched {
		if slices.Contains(w.tags, n.Was) || id != "" && w.ID == id && (rec == nil || rec.Owner() == w.owner) || id == "" && w.mounts == n.Mounts {
			// It began with the container's program, before that was known to be one. Or
			// something was started from outside in a container that ran before.
			w.tags = append(w.tags, n.Tag)
			return s.recorder.Keep(n.Tag)
		}
	}
	if id == "" || rec == nil && s.Wanted.named() && !procfs.Lives(n.Pid) {
		// It has ended, and so has its record; the next program there is asked about again.
		if !s.Wanted.None() { // what was started to be recorded is known
			s.unnamed++
		}
		return s.recorder.Drop(n.Tag)
	}
	if !s.Wanted.wants(id, rec) {
		return s.recorder.Ignore(n)
	}
	return s.begin(newWatched(id, rec, n.Time), n)
}

// begin records a container from its first program on.
func (s *Session) begin(w *watched, n recorder.New) error {
	w.Start, w.tags, w.mounts = true, []recorder.Tag{n.Tag}, n.Mounts
	w.Filtered, w.NoNewPrivileges, w.Capabilities = n.Filtered, n.NoNewPrivileges, profile.CapabilitiesIn(n.Bounding)
	s.watched, s.seen = append(s.watched, w), true
	s.say("%s: recorded from its first instruction", w.title())
	return s.recorder.Keep(n.Tag)
}

// records are those of the node. One that cannot be read does not end what is recorded.
func (s *Session) records(read func() ([]*record.Record, error)) []*record.Record {
	list, err := read()
	if err != nil && err.Error() != s.unreadable {
		s.unreadable = err.Error()
		s.say("note: a container is known by its id alone, whose record cannot be read: %v", err)
	}
	return list
}

func (s *Session) say(format string, args ...any) {
	if s.Say != nil {
		s.Say(format, args...)
	}
}

// look finishes the containers that have ended.
func (s *Session) look() error {
	members, err := s.recorder.Population()
	if err != nil {
		return err
	}
	var on []*watched
	for _, w := range s.watched {
		alive := 0
		for _, tag := range w.tags {
			alive += members[tag]
		}
		if alive > 0 {
			s.count(w)
			on = append(on, w)
			continue
		}
		if err := s.finish(w, true); err != nil {
			return err
		}
		s.say("%s: ended after %s, %d calls", w.title(), w.To.Sub(w.From).Round(time.Millisecond), len(w.Calls))
	}
	s.watched = on
	return nil
}

// Close ends recording and returns what was recorded.
func (s *Session) Close() (*recording.Recording, error) {
	defer s.recorder.Close() // it is stopped: nothing can go wrong any more
	if err := s.look(); err != nil {
		return nil, err
	}
	if err := s.recorder.Stop(); err != nil {
		return nil, fmt.Errorf("detaching: %w", err)
	}
	for _, w := range s.watched {
		if err := s.finish(w, false); err != nil {
			return nil, err
		}
	}
	lost, err := s.recorder.Lost()
	if err != nil {
		return nil, err
	}
	return &recording.Recording{
		Batten: recording.Version, Kernel: kernel.Release(), Machine: kernel.Name(), Containers: s.done,
		Lost:    recording.Lost{Containers: lost.Containers + s.unrecorded, Processes: lost.Processes, Arguments: lost.Arguments, Calls: lost.Calls},
		Unnamed: s.unnamed,
	}, nil
}
