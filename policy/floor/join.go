package floor

import (
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// every calls each with the names that some architecture of the result has: all that Batten knows,
// and those that only the profiles name.
func (m *flooring) every(each func(name string) bool) bool {
	for _, e := range syscalls.Table {
		if !slices.Contains(semantics.NoCalls, e.Name) && !each(e.Name) {
			return false
		}
	}
	for _, name := range m.names {
		if _, known := syscalls.Arches(name); !known && !each(name) {
			return false
		}
	}
	return true
}

// joined reports whether the first profile is the union already.
func (m *flooring) joined() bool {
	if m.own.Split || m.otherwise != m.own.Otherwise {
		return false
	}
	return m.every(func(name string) bool {
		for _, arch := range m.arches {
			if !has(arch, name) {
				continue
			}
			w := m.work.One()
			want, own, clearSecond, clearFirst := m.want(&w, arch, name)
			if !clearFirst || !clearSecond || !w.Same(want, own) || w.Spent() {
				return false
			}
		}
		return true
	})
}

// join makes the rules of the union, and reads them again.
func (m *flooring) join() error {
	for _, name := range m.names {
		if err := m.joinName(name); err != nil {
			return err
		}
	}
	if err := m.within(m.rules()); err != nil {
		return err
	}
	m.keepStub()
	if err := m.aboveStub(); err != nil {
		return err
	}
	if slices.Contains(m.arches, specs.ArchX86) {
		if why := m.multiplexers(); why != "" {
			return fmt.Errorf("on %s: %s", specs.ArchX86, why)
		}
		m.read = nil
	}
	if misread := m.result().Misread; len(misread) > 0 {
		return fmt.Errorf("libseccomp may misread the union's rules on %s, since they name calls that it lacks: list fewer architectures, not %s", misread[0], specs.ArchX32)
	}
	if err := m.verifyUnion(); err != nil {
		return err
	}
	return m.within(m.rules())
}

func (m *flooring) joinName(name string) error {
	arch, ok := m.authority(name)
	if !ok || arch == specs.ArchX86 && semantics.IsMultiplexer(name) {
		return nil
	}
	clear, err := m.name(arch, name)
	if err == nil && !clear {
		err = fmt.Errorf("the rules on %s overlap with different actions, or libseccomp may misread them; give it rules of one meaning", name)
	}
	return err
}

// keepStub adds markers, so that runc's stub answers for no number that one of the profiles
// answers for by its default.
func (m *flooring) keepStub() {
	if m.read = nil; !m.otherwise.HasStub() {
		return
	}
	for _, name := range m.names {
		if _, ok := m.authority(name); ok && len(m.explicit[name]) == 0 && !semantics.IsMultiplexer(name) {
			m.markers[name] = true
		}
	}
}

// aboveStub adds rules for calls that neither profile names, and that the stub of one fails where
// the default of the other kills.
func (m *flooring) aboveStub() error {
	var err error
	m.every(func(name string) bool {
		arch, ok := m.authority(name)
		if _, named := slices.BinarySearch(m.names, name); !ok || named {
			return true
		}
		w := m.work.One()
		want, _, _, _ := m.want(&w, arch, name)
		if got, _ := m.result().On(arch, name); w.Somewhere(want, got, unlike) {
			at, _ := slices.BinarySearch(m.names, name)
			m.names = slices.Insert(m.names, at, name)
			err = m.joinName(name)
		}
		return err == nil && !w.Spent()
	})
	m.read = nil
	return err
}

func unlike(a, b semantics.Outcome) bool { return a.Order != b.Order }

// verifyUnion compares the result, as libseccomp will read it, with what is wanted.
func (m *flooring) verifyUnion() (err error) {
	m.every(func(name string) bool {
		for _, arch := range m.arches {
			if !has(arch, name) {
				continue
			}
			w := m.work.One()
			want, _, clearSecond, clearFirst := m.want(&w, arch, name)
			got, clear := m.result().On(arch, name)
			logged := func(a, b semantics.Outcome) bool {
				return a.Order != b.Order && (!semantics.IsMultiplexer(name) || a != semantics.Logged || b != semantics.Allowed)
			}
			if !clear || !clearFirst || !clearSecond || w.Somewhere(got, want, logged) || w.Spent() {
				err = fmt.Errorf("no rules can express the union's %s on %s", name, arch)
				return false
			}
			if w.Somewhere(got, want, unlike) {
				m.note("on i386 through %s: some calls that are allowed are logged", name)
			}
		}
		return true
	})
	return err
}

// widened notes what the result allows on an architecture that only one of the profiles lists, and
// that this profile denies.
func (m *flooring) widened(first, second specs.LinuxSeccomp) {
	for _, arch := range m.arches[1:] {
		which, lister := "first", m.own
		switch inFirst, inSecond := slices.Contains(first.Architectures, arch), slices.Contains(second.Architectures, arch); {
		case inFirst && inSecond:
			continue
		case inSecond:
			which, lister = "second", m.floor
		}
		var names []string
		for _, name := range m.names {
			if !has(arch, name) {
				continue
			}
			w := m.work.One()
			want, _, _, _ := m.want(&w, arch, name)
			if own, _ := lister.On(arch, name); w.Looser(want, own) {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			m.note("only the %s profile lists %s; what the other allows is allowed there, too, since rules are for every architecture: %s", which, arch, semantics.Some(names))
		}
	}
}
