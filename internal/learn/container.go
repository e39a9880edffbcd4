package learn

import (
	"slices"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/profile"
)

// watched is one container that is recorded.
type watched struct {
	recording.Container
	owner string // of its record; empty if it has none
	// tags are where its calls are kept: more than one if programs were started in it from
	// outside before its mount namespace was known.
	tags []recorder.Tag
	seen *denials.Counts // as they stood last
	// mounts is its mount namespace, as /proc has it.
	mounts string
}

// newWatched names a container by its record.
func newWatched(id string, rec *record.Record, from time.Time) *watched {
	w := &watched{Container: recording.Container{ID: id, From: from}}
	if rec != nil {
		title := rec.Title()
		w.owner, w.Namespace, w.Pod, w.Name, w.Image = rec.Owner(), rec.ContainerdNamespace, title.Pod(), title.Name, title.Image
	}
	return w
}

// describe says what rights a process of the container has, and whether it has a filter.
func (w *watched) describe(pid int) {
	if s, err := procfs.StatusOf(pid); err == nil {
		w.Filtered, w.NoNewPrivileges, w.Capabilities = s.Seccomp == 2, s.NoNewPrivs, profile.CapabilitiesIn(s.Bounding)
	}
}

// title names the container for people.
func (w *watched) title() string {
	switch {
	case len(w.Command) > 0:
		return strings.Join(w.Command, " ")
	case w.Pod != "":
		return w.Pod + " " + w.Name
	}
	return strings.TrimSpace(record.ShortID(w.Namespace, w.ID) + " " + w.Name)
}

// finish reads what was recorded, and gives the places away.
func (s *Session) finish(w *watched, ended bool) error {
	w.To, w.Ended = time.Now().Round(0), ended
	for _, tag := range w.tags {
		calls, err := s.recorder.Calls(tag)
		if err != nil {
			return err
		}
		for _, c := range calls {
			w.add(c)
		}
		if err := s.recorder.Drop(tag); err != nil {
			return err
		}
	}
	if ended && len(w.Calls) == 0 { // a program makes one call at least, to end
		s.unrecorded++
	}
	s.count(w)
	w.deny()
	s.done = append(s.done, w.Container)
	return nil
}

// add adds a call to those of the container. Who made it first counts.
func (w *watched) add(c recorder.Call) {
	first := func(f recorder.First) recording.First {
		return recording.First{Program: recording.Printable(f.Program), Pid: f.Pid, After: max(f.Time.Sub(w.From), 0)}
	}
	next := recording.Call{Arch: c.Arch, Nr: c.Nr, Name: c.Name, First: first(c.First)}
	for _, v := range c.Values {
		next.Arguments = append(next.Arguments, recording.Argument{Index: v.Index, Value: v.Value, First: first(v.First)})
	}
	w.join(next)
}

// join adds a call, or what is new of it.
func (w *watched) join(c recording.Call) {
	i := slices.IndexFunc(w.Calls, func(old recording.Call) bool { return old.Arch == c.Arch && old.Nr == c.Nr })
	if i < 0 {
		w.Calls = append(w.Calls, c)
		return
	}
	w.Calls[i].Join(c)
}

// count reads what the container was denied until now. The file goes with the container, so that
// what was read before stays.
func (s *Session) count(w *watched) {
	if w.owner == "" {
		return
	}
	if c, err := (denials.Store{Dir: s.Records}).Read(w.owner, w.ID); err == nil {
		w.seen = c
	}
}

// deny writes down what the container was denied while it was recorded.
func (w *watched) deny() {
	if w.seen == nil {
		return
	}
	for _, d := range w.seen.Denials {
		if d.Last.Before(w.From) {
			continue
		}
		w.Denied = append(w.Denied, recording.Denied{
			Arch: d.Arch, Name: d.Syscall, Args: d.Sample.Args[:], Count: d.Count, Program: d.Sample.Comm, Ran: w.seen.Answer == denials.LetThrough,
		})
	}
}
