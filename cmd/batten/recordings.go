package main

import (
	"fmt"

	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// recorded returns the profile that is made of a recording, and prints its notes once.
func (r *reading) recorded(name string, data []byte) (*specs.LinuxSeccomp, error) {
	if made := r.made[name]; made != nil {
		return &made.Seccomp, nil
	}
	read, err := recording.Read(name, data)
	if err != nil {
		return nil, hinted{err, aboutRecordings}
	}
	made, err := r.madeOf(name, read)
	if err != nil {
		return nil, err
	}
	r.made[name] = made
	return &made.Seccomp, nil
}

const aboutRecordings = "docs/reference/recording.md says what a recording holds"

// madeOf makes the profile of recordings, for every runtime, and prints its notes.
func (r *reading) madeOf(name string, recordings ...*recording.Recording) (*recording.Made, error) {
	made, err := recording.Profile(recordings, recording.Options{})
	if err != nil {
		return nil, hinted{fmt.Errorf("recording %q: %w", name, err), aboutRecordings}
	}
	for _, note := range made.Notes {
		fmt.Fprintf(r.cmd.ErrOrStderr(), "note: recording %q: %s\n", name, note)
	}
	return made, nil
}

// change is a difference between two profiles, with who made the call if one of them is that of a
// recording.
type change struct {
	filter.Change
	By *recording.By `json:"by,omitempty"`
}

// attributed adds to changes who made the calls: what is newly allowed was made in the recording of
// second, what is newly denied in that of first.
func (r *reading) attributed(first, second string, changes []filter.Change) []change {
	out := make([]change, 0, len(changes))
	for _, c := range changes {
		made := r.made[second]
		if c.Kind == filter.Denies {
			made = r.made[first]
		}
		all := change{Change: c}
		if made != nil && c.Witness != nil {
			if by, known := made.By[c.Syscall]; known {
				by.Arguments = with(by.Arguments, c.Witness.Call)
				all.By = &by
			}
		}
		out = append(out, all)
	}
	return out
}

// with returns who made a call with the arguments of a witness.
func with(values []recording.ByValue, call filter.Call) (out []recording.ByValue) {
	for _, v := range values {
		if call.Args[v.Index] == v.Value {
			out = append(out, v)
		}
	}
	return out
}

// who says in words who made the call of a change; it is empty if that is unknown.
func (c *change) who() string {
	switch {
	case c.By == nil:
		return ""
	case len(c.By.Arguments) > 0:
		return "; made by " + c.By.Arguments[0].Program + " first"
	case c.By.Containers == 0:
		return "; " + c.By.Why
	}
	return "; made by " + c.By.String()
}
