package recording

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// seen is what all recordings have together.
type seen struct {
	containers int
	arches     []specs.Arch // the machine's first
	calls      map[string]*made
	unnamed    map[unnamed]bool
}

// unnamed is a call that no table has.
type unnamed struct {
	arch    specs.Arch
	nr      int
	program string
}

// made is one name, of all containers.
type made struct {
	name       string
	first      earliest
	containers map[int]bool
	// values are those of its arguments, by index.
	values map[uint]map[uint64]earliest
	// times is how often the call is in the recordings, with how often with an argument.
	times int
	with  map[uint]int
}

// recorded returns the indexes of the arguments that were recorded each time, sorted.
func (c *made) recorded() []uint {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.values)), func(index uint) bool { return c.with[index] < c.times })
}

// earliest is who made a call, or made it with a value, before all others.
type earliest struct {
	program string
	at      time.Time
}

// or returns the earlier of two; at a tie the names decide, so that it is always the same.
func (e earliest) or(other earliest) earliest {
	if other.at.Before(e.at) || other.at.Equal(e.at) && other.program < e.program {
		return other
	}
	return e
}

// decide are the calls whose arguments a recorder keeps, because they decide what the calls do. If
// it kept none, something was lost.
var decide = []string{"clone", "clone3", "personality", "prctl", "socket", "socketpair"}

// native maps the kernel's names for machines to their architecture.
var native = map[string]specs.Arch{"x86_64": specs.ArchX86_64, "aarch64": specs.ArchAARCH64}

// gather joins recordings.
func gather(recordings []*Recording) (*seen, error) {
	s := &seen{calls: make(map[string]*made), unnamed: make(map[unnamed]bool)}
	if len(recordings) == 0 {
		return nil, errors.New("there is no recording to make a profile of")
	}
	for _, r := range recordings {
		arch, known := native[r.Machine]
		switch {
		case !known:
			return nil, fmt.Errorf("no profile can be made of a recording of a machine %q; Batten knows the calls of x86_64 and aarch64", r.Machine)
		case len(s.arches) == 0:
			s.arches = []specs.Arch{arch}
		case s.arches[0] != arch:
			return nil, fmt.Errorf("the recordings are of different machines, %s and %s; make a profile for each", recordings[0].Machine, r.Machine)
		}
	}
	var others []func()
	for _, r := range recordings {
		for i := range r.Containers {
			id := s.containers
			s.containers++
			for _, c := range r.Containers[i].Calls {
				if c.Arch != s.arches[0] && !slices.Contains(s.arches, c.Arch) {
					s.arches = append(s.arches, c.Arch)
				}
				c, from := c, r.Containers[i].From
				if semantics.IsMultiplexer(nameOf(&c)) {
					others = append(others, func() { s.multiplexed(id, from, &c) })
					continue
				}
				s.call(id, from, &c)
			}
		}
	}
	for _, add := range others {
		add() // when all other calls are known
	}
	slices.Sort(s.arches[1:])
	if len(s.calls) == 0 {
		return nil, errors.New("the recordings have no calls to make a profile of")
	}
	return s, nil
}

// nameOf returns the name of a call; it is empty if no table has one.
func nameOf(c *Call) string { return cmp.Or(syscalls.CallAt(c.Arch, c.Nr), c.Name) }

// call adds a call that is no multiplexer.
func (s *seen) call(container int, from time.Time, c *Call) {
	name := nameOf(c)
	if name == "" {
		s.unnamed[unnamed{c.Arch, c.Nr, c.Program}] = true
		return
	}
	values := make(map[uint]map[uint64]earliest)
	for _, a := range c.Arguments {
		if values[a.Index] == nil {
			values[a.Index] = make(map[uint64]earliest)
		}
		values[a.Index][a.Value] = earliest{a.Program, from.Add(a.After)}
	}
	s.add(name, container, earliest{c.Program, from.Add(c.After)}, values)
}

// multiplexed adds the calls behind a multiplexer. Filters do not see their arguments there: so if
// the arguments of a call decide, it is the multiplexer that is allowed, for this call alone, and
// not the call by itself.
func (s *seen) multiplexed(container int, from time.Time, c *Call) {
	by := nameOf(c)
	if len(c.Arguments) == 0 {
		s.call(container, from, c)
		return
	}
	for _, a := range c.Arguments {
		if a.Index != 0 {
			continue
		}
		name := behind(by, a.Value)
		first := earliest{a.Program, from.Add(a.After)}
		if known := s.calls[name]; name == "" || slices.Contains(decide, name) || known != nil && len(known.recorded()) > 0 {
			s.add(by, container, first, map[uint]map[uint64]earliest{0: {a.Value: first}})
		} else {
			s.add(name, container, first, nil)
		}
	}
}

// behind returns the name of a call behind a multiplexer, by the multiplexer's first argument. It
// is empty if there is none, or if no rule on the name would allow it: the high half of ipc's
// argument is a version, which the kernel does not look at to find the call.
func behind(by string, value uint64) string {
	for _, name := range slices.Sorted(maps.Keys(syscalls.Multiplexed)) {
		if m := syscalls.Multiplexed[name]; m.By == by && m.Call == value {
			return name
		}
	}
	return ""
}

// add adds a call of one container, with the values that were recorded of its arguments.
func (s *seen) add(name string, container int, first earliest, values map[uint]map[uint64]earliest) {
	c := s.calls[name]
	if c == nil {
		c = &made{name: name, first: first, containers: make(map[int]bool), values: make(map[uint]map[uint64]earliest), with: make(map[uint]int)}
		s.calls[name] = c
	}
	c.first = c.first.or(first)
	c.containers[container] = true
	c.times++
	for index := range values {
		c.with[index]++
		if c.values[index] == nil {
			c.values[index] = make(map[uint64]earliest)
		}
		for value, first := range values[index] {
			if known, again := c.values[index][value]; again {
				first = known.or(first)
			}
			c.values[index][value] = first
		}
	}
}
