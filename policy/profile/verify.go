package profile

import (
	"fmt"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// leaveOut takes an architecture out of the result and says why.
func (m *flooring) leaveOut(arch specs.Arch, why string) {
	m.arches = slices.DeleteFunc(m.arches, func(a specs.Arch) bool { return a == arch })
	m.read = nil
	m.note("%s left out, its calls are killed: %s", arch, why)
	if arch == specs.ArchX86 && m.front != nil {
		m.front, m.explicit = nil, m.direct
		m.settleStub()
	}
}

// verify reads the result as libseccomp will and compares it with what is
// wanted. On the native architecture it must be that; on another one it may be
// stricter, else the architecture is left out.
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
			return fmt.Errorf("no rules can express %s under this floor", wrong)
		default:
			m.leaveOut(arch, "no rules can express "+wrong+" there")
			i--
		}
	}
	return nil
}

// legible reports a result that Floor itself could not read again: so that the
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
	own, err := understand(&out, m.arches[0])
	if err != nil {
		return fmt.Errorf("the result: %w", err)
	}
	again := &flooring{limits: m.limits, floor: m.floor, own: own, names: m.names, otherwise: m.otherwise, arches: m.arches, explicit: make(map[string][]clause)}
	for _, name := range large {
		if arch, ok := m.authority(name); ok {
			if _, err := again.name(arch, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxPlain is the number of rules on one syscall up to which they surely are
// few enough to be read again.
const maxPlain = 16

// compare are the calls that are stricter than wanted on arch, and the first
// that is looser or has no one meaning.
func (m *flooring) compare(result *meaning, arch specs.Arch) (stricter []string, wrong string) {
	for _, name := range m.names {
		if isMultiplexer(name) || !has(arch, name) {
			continue // multiplexers are judged by themselves
		}
		w := budget{left: maxWork}
		want, _, _, _ := m.want(&w, arch, name)
		got, clear := result.on(arch, name)
		switch {
		case !clear || w.looser(got, want) || w.spent():
			return nil, name
		case w.somewhere(got, want, func(a, b outcome) bool { return a.order < b.order }):
			stricter = append(stricter, name)
		}
	}
	return stricter, ""
}
