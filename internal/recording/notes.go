package recording

import (
	"fmt"
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
)

// notes says what the recordings lack.
func (m *making) notes(recordings []*Recording) {
	if len(m.unnamed) > 0 {
		var words []string
		for u := range m.unnamed {
			words = append(words, fmt.Sprintf("number %d of %s, by %s", u.nr, u.arch, u.program))
		}
		slices.Sort(words)
		m.note("calls that have no name are not in the profile: %s", semantics.Some(words))
	}
	for _, n := range Lacks(recordings) {
		m.note("%s", n)
	}
}

// Lacks says in words what recordings do not have, each once.
func Lacks(recordings []*Recording) (notes []string) {
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	var lost Lost
	var unnamed uint64
	late, filtered, containers := 0, 0, 0
	denied := make(map[string]bool)
	for _, r := range recordings {
		lost.Containers += r.Lost.Containers
		lost.Processes += r.Lost.Processes
		lost.Arguments += r.Lost.Arguments
		lost.Calls += r.Lost.Calls
		unnamed += r.Unnamed
		containers += len(r.Containers)
		for _, c := range r.Containers {
			if !c.Start {
				late++
			}
			if c.Filtered {
				filtered++
			}
			for _, d := range c.Denied {
				if !d.Ran {
					denied[d.Name+" by "+d.Program] = true
				}
			}
		}
	}
	for _, l := range []struct {
		count uint64
		what  string
	}{
		{lost.Containers, "containers that were not recorded"},
		{lost.Processes, "processes that were not followed"},
		{lost.Arguments, "arguments that were not kept"},
		{lost.Calls, "calls whose number no table has"},
	} {
		if l.count > 0 {
			note("the recording is not whole, and the profile may deny what it lacks: %s: %d", l.what, l.count)
		}
	}
	if unnamed > 0 {
		note("programs that ended before it was known whose they were, and were not recorded: %d", unnamed)
	}
	if late > 0 {
		note("%d of %d containers ran before they were recorded: what they did until then is not in the profile", late, containers)
	}
	if filtered > 0 {
		note("%d of %d containers ran under a filter: what they do without it may be more", filtered, containers)
	}
	if len(denied) > 0 {
		note("a filter denied calls, which so were not made: %s", semantics.Some(slices.Sorted(maps.Keys(denied))))
	}
	return notes
}
