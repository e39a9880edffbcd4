package profile

import (
	"runtime"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// runc puts a stub before a filter that denies by default: numbers above the
// highest that the profile names get ENOSYS, so that programs fall back from
// calls that nobody knew when the profile was written. A rule counts there
// even if it repeats the default, which runc otherwise skips; so the result of
// a floor has such rules, its markers, where its highest number would else be
// too low.
//
// Up to the lower of the two profiles' bounds the result is exact. Above it one
// of the two answers ENOSYS, and there an errno may read ENOSYS for the other's,
// or the default's for ENOSYS; what is denied stays denied.

// oldestUnknown is the first number that some libseccomp 2.5 does not know. A
// runtime takes the highest number that its libseccomp knows, so from here on
// every name counts.
const oldestUnknown = 440

// recent reports whether a libseccomp may not know the name. Since it came about
// calls have one number on all architectures.
func recent(name string) bool {
	nr, ok := numberOn(seccompArch[runtime.GOARCH], name)
	return ok && nr >= oldestUnknown
}

// stubAnswers reports whether runc's stub answers for a number.
func (m *meaning) stubAnswers(arch specs.Arch, nr int) bool {
	last := m.last[arch]
	return last > 0 && nr > last
}

// beyond is what becomes of a number that no rule names.
func (m *meaning) beyond(arch specs.Arch, nr int) outcome {
	if m.stubAnswers(arch, nr) {
		return enosys
	}
	return m.otherwise
}

// bound is the highest number on arch for which neither profile's stub answers.
func (m *flooring) bound(arch specs.Arch) int {
	bound := 0
	for _, side := range []*meaning{m.floor, m.own} {
		if last := side.last[arch]; last > 0 && (bound == 0 || last < bound) {
			bound = last
		}
	}
	return bound
}

// aboveBound reports whether a stub of the two answers for the name on arch.
func (m *flooring) aboveBound(arch specs.Arch, name string) bool {
	nr, ok := numberOn(arch, name)
	bound := m.bound(arch)
	return ok && bound > 0 && nr > bound
}

// settleStub gives rules and markers to the names that need them so that the
// result's stub answers where it should.
func (m *flooring) settleStub() {
	for _, arch := range m.arches {
		m.reach(arch, m.bound(arch))
	}
	for range 4 { // what is added moves the stub's bound, which may ask for more
		before := len(m.markers) + len(m.explicit)
		for _, arch := range m.arches {
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

// reach marks names so that the result's stub on arch answers above nr only.
func (m *flooring) reach(arch specs.Arch, nr int) {
	last := m.result().last[arch]
	for _, name := range m.names {
		n, ok := stubNumber(arch, name)
		if ok && n == nr && n > last || ok && n < nr && recent(name) && m.saysDefault(name) {
			m.say(name)
		}
	}
}

// raise marks a name that neither profile has where that takes the stub of the
// result on arch above nr: the name of that number has no rule or there is none.
func (m *flooring) raise(arch specs.Arch, nr int) {
	if m.result().last[arch] >= nr {
		return
	}
	next := syscallName{}
	for _, e := range syscallTable {
		n, ok := stubNumber(arch, e.name)
		if !ok || isMultiplexer(e.name) || n < nr && !recent(e.name) {
			continue
		}
		if o, found := stubNumber(arch, next.name); n >= nr && (!found || n < o) {
			next = e
		}
		if _, named := slices.BinarySearch(m.names, e.name); n < nr && recent(e.name) && !named {
			m.markers[e.name] = true
		}
	}
	if next.name != "" && len(m.explicit[next.name]) == 0 {
		m.markers[next.name], m.read = true, nil
	}
}

// always is what is wanted for a name whatever its arguments; ok is false where
// these matter, or where no arch that is left has the call.
func (m *flooring) always(name string) (want outcome, ok bool) {
	arch, ok := m.authority(name)
	if !ok {
		return want, false
	}
	w := budget{left: maxWork}
	f, _, _, _ := m.want(&w, arch, name)
	return f.otherwise, len(f.pieces) == 0
}

// saysDefault reports whether the default is what is wanted for a name.
func (m *flooring) saysDefault(name string) bool {
	want, ok := m.always(name)
	return ok && want == m.otherwise
}

// say gives a name that was left to the default or the stub a rule of its own.
func (m *flooring) say(name string) {
	if len(m.explicit[name]) > 0 || isMultiplexer(name) {
		return
	}
	switch want, ok := m.always(name); {
	case !ok:
	case want == m.otherwise:
		m.markers[name], m.read = true, nil
	default:
		m.explicit[name], m.read = []clause{{outcome: want}}, nil
	}
}

// tooLoose is the highest number, without a rule of its own, that result's stub
// would treat looser than wanted on arch; 0 if there is none.
func (m *flooring) tooLoose(result *meaning, arch specs.Arch) int {
	for _, side := range []*meaning{m.floor, m.own} {
		nr := side.last[arch]
		if nr == 0 && side.otherwise.hasStub() {
			nr = highest(arch) // it names nothing and has no stub
		}
		want := together(m.floor.beyond(arch, nr), m.own.beyond(arch, nr))
		if nr > 0 && result.beyond(arch, nr).order > want.order {
			return nr
		}
	}
	return 0
}

func highest(arch specs.Arch) (nr int) {
	for _, e := range syscallTable {
		if n, ok := stubNumber(arch, e.name); ok {
			nr = max(nr, n)
		}
	}
	return nr
}

// settleDenied gives rules to names that were left to the stub but that the
// result's stub does not reach.
func (m *flooring) settleDenied() {
	result := m.result()
	for _, name := range m.names {
		arch, ok := m.authority(name)
		if !ok || len(m.explicit[name]) > 0 || m.markers[name] || !m.aboveBound(arch, name) {
			continue
		}
		want, constant := m.always(name)
		got, _ := result.on(arch, name)
		if constant && (got.otherwise != enosys && want != got.otherwise || want.order < got.otherwise.order) {
			m.say(name)
		}
	}
}
