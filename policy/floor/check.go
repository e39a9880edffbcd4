package floor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// leaveOut takes an architecture out of the result and notes why.
func (m *flooring) leaveOut(arch specs.Arch, why string) {
	m.arches = slices.DeleteFunc(m.arches, func(a specs.Arch) bool { return a == arch })
	m.read = nil
	m.note("%s left out, its calls are killed: %s", arch, why)
	if arch == specs.ArchX86 && m.front != nil {
		m.front, m.explicit = nil, m.direct
		m.settleStub()
	}
}

// verify reads the result as libseccomp will and compares it with what is wanted. On the
// native architecture both must be equal. On another one the result may be stricter; if it
// is looser, verify leaves the architecture out.
func (m *flooring) verify() error {
	for i := 0; i < len(m.arches); i++ {
		arch := m.arches[i]
		result := m.result()
		stricter, wrong := m.compare(result, arch)
		switch {
		case wrong == "":
			if len(stricter) > 0 {
				m.note("stricter on %s, where rules cannot tell the calls apart: %s", arch, strings.Join(stricter, ", "))
			}
		case i == 0:
			return fmt.Errorf("no rules can express %s in %s", wrong, m.called())
		default:
			m.leaveOut(arch, "no rules can express "+wrong+" there")
			i--
		}
	}
	return nil
}

// legible returns an error for a result that Floor could not take as its input: so that the
// floor of a floor is always the same.
func (m *flooring) legible(out specs.LinuxSeccomp) error {
	var large []string
	for name, clauses := range m.explicit {
		if len(clauses) > maxPlain {
			large = append(large, name)
		}
	}
	if len(large) == 0 {
		return nil
	}
	slices.Sort(large)
	own, err := semantics.Understand(m.work, &out, m.arches[0])
	if err != nil {
		return fmt.Errorf("the result: %w", err)
	}
	again := &flooring{work: m.work, limits: m.limits, floor: m.floor, own: own, edits: m.edits, union: m.union, names: m.names, otherwise: m.otherwise, arches: m.arches, explicit: make(map[string][]semantics.Clause)}
	for _, name := range large {
		if arch, ok := m.authority(name); ok {
			if _, err := again.name(arch, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxPlain is how many rules one syscall may have without a check that Floor can read them
// again: so few always fit its budget.
const maxPlain = 16

// compare returns the calls that are stricter than wanted on arch, and the first call that
// is looser or has more than one meaning.
func (m *flooring) compare(result *semantics.Meaning, arch specs.Arch) (stricter []string, wrong string) {
	for _, name := range m.names {
		if semantics.IsMultiplexer(name) || !has(arch, name) {
			continue // multiplexers are judged by themselves
		}
		w := m.work.One()
		want, _, _, _ := m.want(&w, arch, name)
		got, clear := result.On(arch, name)
		switch {
		case !clear || w.Looser(got, want) || w.Spent():
			return nil, name
		case !w.Same(got, want) && w.Somewhere(got, want, func(a, b semantics.Outcome) bool { return a.Order < b.Order }):
			stricter = append(stricter, name)
		}
	}
	return stricter, ""
}
