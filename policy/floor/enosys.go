package floor

import (
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// runc puts a stub before a filter that denies by default: the stub answers ENOSYS to
// numbers above the highest that the profile names, so that programs fall back from calls
// that nobody knew when the profile was written. For the highest number runc also counts
// rules that repeat the default, which it otherwise skips. So the result of a floor has
// such rules, its markers, where its highest number would be too low without them.
//
// Up to the lower of the two profiles' highest numbers the result is exact. Above it the
// errno may differ: ENOSYS in place of the other profile's errno, or the default's errno in
// place of ENOSYS. What is denied stays denied.

// bound returns the highest number on arch for which neither profile's stub answers.
func (m *flooring) bound(arch specs.Arch) int {
	bound := 0
	for _, side := range []*semantics.Meaning{m.floor, m.own} {
		if last := side.Last[arch]; last > 0 && (bound == 0 || last < bound) {
			bound = last
		}
	}
	return bound
}

// aboveBound reports whether a stub of the two answers for the name on arch.
func (m *flooring) aboveBound(arch specs.Arch, name string) bool {
	nr, ok := syscalls.Number(arch, name)
	bound := m.bound(arch)
	return ok && bound > 0 && nr > bound
}

// settleStub adds rules and markers, so that the result's stub answers for the right
// numbers.
func (m *flooring) settleStub() {
	for _, arch := range m.arches {
		m.reach(arch, m.bound(arch))
	}
	for range 4 { // an added rule may move the stub's bound, and so need another
		before := len(m.markers) + len(m.explicit)
		for _, arch := range m.arches {
			m.raiseEdited(arch)
			if nr := m.tooLoose(m.result(), arch); nr > 0 {
				m.reach(arch, nr)
				m.raise(arch, nr)
			}
		}
		m.settleDenied()
		if len(m.markers)+len(m.explicit) == before {
			return
		}
	}
}

// reach adds markers so that the result's stub on arch answers above nr only.
func (m *flooring) reach(arch specs.Arch, nr int) {
	last := m.result().Last[arch]
	for _, name := range m.names {
		n, ok := syscalls.StubNumber(arch, name)
		if ok && n == nr && n > last || ok && n < nr && semantics.Recent(name) && m.saysDefault(name) {
			m.say(name)
		}
	}
}

// raise adds a rule that repeats the default for the lowest known call from nr on, so
// that runc's ENOSYS stub for the result starts above nr on arch. Neither profile has a
// rule on that name.
func (m *flooring) raise(arch specs.Arch, nr int) {
	if m.result().Last[arch] >= nr {
		return
	}
	next := syscalls.Entry{}
	for _, e := range syscalls.Table {
		n, ok := syscalls.StubNumber(arch, e.Name)
		if !ok || semantics.IsMultiplexer(e.Name) || n < nr && !semantics.Recent(e.Name) {
			continue
		}
		if o, found := syscalls.StubNumber(arch, next.Name); n >= nr && (!found || n < o) {
			next = e
		}
		if _, named := slices.BinarySearch(m.names, e.Name); n < nr && semantics.Recent(e.Name) && !named {
			m.markers[e.Name] = true
		}
	}
	if next.Name != "" && len(m.explicit[next.Name]) == 0 {
		m.markers[next.Name], m.read = true, nil
	}
}

// always returns what is wanted for a name whatever its arguments. ok is false if the
// arguments matter, or if no architecture of the result has the call.
func (m *flooring) always(name string) (want semantics.Outcome, ok bool) {
	arch, ok := m.authority(name)
	if !ok {
		return want, false
	}
	w := m.work.One()
	f, _, _, _ := m.want(&w, arch, name)
	return f.Otherwise, len(f.Pieces) == 0
}

// saysDefault reports whether the default action is what is wanted for a name.
func (m *flooring) saysDefault(name string) bool {
	want, ok := m.always(name)
	return ok && want == m.otherwise
}

// say adds a rule for a name that had none: the default or the stub answered for it.
func (m *flooring) say(name string) {
	if len(m.explicit[name]) > 0 || semantics.IsMultiplexer(name) {
		return
	}
	switch want, ok := m.always(name); {
	case !ok:
	case want == m.otherwise:
		m.markers[name], m.read = true, nil
	default:
		m.explicit[name], m.read = []semantics.Clause{{Outcome: want}}, nil
	}
}

// tooLoose returns the highest number that has no rule and that the result's stub would
// treat looser than wanted on arch; it is 0 if there is none.
func (m *flooring) tooLoose(result *semantics.Meaning, arch specs.Arch) int {
	for _, side := range []*semantics.Meaning{m.floor, m.own} {
		nr := side.Last[arch]
		if nr == 0 && side.Otherwise.HasStub() {
			nr = highest(arch) // it names nothing and has no stub
		}
		want := semantics.Together(m.floor.Beyond(arch, nr), m.own.Beyond(arch, nr))
		if nr > 0 && result.Beyond(arch, nr).Order > want.Order {
			return nr
		}
	}
	return 0
}

func highest(arch specs.Arch) (nr int) {
	for _, e := range syscalls.Table {
		if n, ok := syscalls.StubNumber(arch, e.Name); ok {
			nr = max(nr, n)
		}
	}
	return nr
}

// settleDenied adds rules for names that were left to the stub and that the result treats
// looser than wanted, or with another errno than the stub's.
func (m *flooring) settleDenied() {
	result := m.result()
	for _, name := range m.names {
		arch, ok := m.authority(name)
		if !ok || len(m.explicit[name]) > 0 || m.markers[name] || !m.aboveBound(arch, name) {
			continue
		}
		want, constant := m.always(name)
		got, _ := result.On(arch, name)
		if constant && (got.Otherwise != semantics.Enosys && want != got.Otherwise || want.Order < got.Otherwise.Order) {
			m.say(name)
		}
	}
}
