package profile

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// flooring is the work of one call of Floor.
type flooring struct {
	limits     Limits
	floor, own *meaning
	names      []string
	arches     []specs.Arch // native first
	otherwise  outcome

	// explicit are the rules of the result by name, direct what they were before
	// i386's multiplexers counted; front are those that must come before all
	// others, on these; markers are names of rules that repeat the default, for the
	// sake of runc's ENOSYS stub.
	explicit map[string][]clause
	direct   map[string][]clause
	front    []frontRule
	markers  map[string]bool
	notes    []string
	read     *meaning // of the rules so far; nil after a change
}

type frontRule struct {
	name string
	clause
}

func (m *flooring) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(m.notes, n) {
		m.notes = append(m.notes, n)
	}
}

// commonArches are those that both have and that Batten can compute for.
func (m *flooring) commonArches(native specs.Arch) error {
	if _, known := setOf[native]; !known {
		return fmt.Errorf("no floor can be computed on %s machines", runtime.GOARCH)
	}
	for _, arch := range m.own.arches {
		_, known := setOf[arch]
		switch {
		case !slices.Contains(m.floor.arches, arch):
		case known:
			m.arches = append(m.arches, arch)
		default:
			m.note("%s left out: no floor can be computed for it", arch)
		}
	}
	return nil
}

// listed are the architectures to write, in the order of the profile's.
func (m *flooring) listed(own []specs.Arch) []specs.Arch {
	return slices.DeleteFunc(slices.Clone(own), func(a specs.Arch) bool { return !slices.Contains(m.arches, a) })
}

// want is what the result must do for a syscall on arch. Clear is false where
// one of the two profiles has no one meaning there.
func (m *flooring) want(w *budget, arch specs.Arch, name string) (want, own function, clearFloor, clearOwn bool) {
	f, clearFloor := m.floor.on(arch, name)
	if m.floor == m.own {
		return f, f, clearFloor, clearFloor
	}
	own, clearOwn = m.own.on(arch, name)
	if len(f.pieces) == 0 && len(own.pieces) == 0 {
		return constant(own.whole, together(f.otherwise, own.otherwise)), own, clearFloor, clearOwn
	}
	want = w.meet(f, own)
	if o, one := want.constant(w); one {
		want = constant(own.whole, o)
	}
	return want, own, clearFloor, clearOwn
}

// unchanged reports whether the profile as it is does what the result must.
func (m *flooring) unchanged(p specs.LinuxSeccomp) bool {
	if m.own.split || len(m.own.misread) > 0 || m.otherwise != m.own.otherwise || len(m.listed(p.Architectures)) != len(p.Architectures) {
		return false
	}
	for _, arch := range m.arches {
		for _, name := range m.names {
			if !has(arch, name) {
				continue
			}
			w := budget{left: maxWork}
			want, own, _, clear := m.want(&w, arch, name)
			if !clear || m.floor != m.own && !w.same(want, own) || w.spent() {
				return false
			}
		}
	}
	return !slices.ContainsFunc(m.arches, func(arch specs.Arch) bool { return m.tooLoose(m.own, arch) > 0 })
}

// has reports whether arch has the call, as far as Batten knows.
func has(arch specs.Arch, name string) bool {
	on, known := lookup(name)
	return !known || on&setOf[arch] != 0
}

// authority is the architecture whose meaning decides how a name's rules are
// written; ok is false if none that is left has the call.
func (m *flooring) authority(name string) (arch specs.Arch, ok bool) {
	i := slices.IndexFunc(m.arches, func(arch specs.Arch) bool { return has(arch, name) })
	if i < 0 {
		return "", false
	}
	return m.arches[i], true
}

// compute makes the rules of the result and holds them against what is wanted,
// arch by arch.
func (m *flooring) compute() error {
	var ambiguous []string
	for _, name := range m.names {
		arch, ok := m.authority(name)
		if !ok || arch == specs.ArchX86 && isMultiplexer(name) {
			continue
		}
		clear, err := m.name(arch, name)
		if err != nil {
			return err
		}
		if !clear {
			ambiguous = append(ambiguous, name)
		}
	}
	if err := m.within(m.rules()); err != nil {
		return err
	}
	if len(ambiguous) > 0 {
		m.note("rules that overlap with different actions, the strictest counts: %s", strings.Join(ambiguous, ", "))
	}
	m.settleStub()
	if slices.Contains(m.arches, specs.ArchX86) {
		m.direct = maps.Clone(m.explicit)
		if why := m.multiplexers(); why != "" {
			m.leaveOut(specs.ArchX86, why)
		}
		m.settleStub()
	}
	if slices.Contains(m.result().misread, specs.ArchX86_64) {
		m.leaveOut(specs.ArchX32, "with it libseccomp may misread a profile that names calls which x86_64 lacks")
	}
	if err := m.verify(); err != nil {
		return err
	}
	return m.within(m.rules())
}

// name makes the rules of one syscall.
func (m *flooring) name(arch specs.Arch, name string) (clear bool, err error) {
	w := budget{left: maxWork}
	want, own, clearFloor, clearOwn := m.want(&w, arch, name)
	if len(want.pieces) == 0 && want.otherwise.order == orderErrno && m.aboveBound(arch, name) {
		return true, nil // left to the stub, if that does it
	}
	if clearOwn && !m.own.split && m.own.otherwise == m.otherwise && w.same(want, own) {
		m.explicit[name] = m.own.clauses[name]
	} else {
		m.explicit[name] = w.express(want, m.otherwise)
		if _, behind := multiplexed[name]; behind && halved(m.explicit[name]) {
			m.lengthen(name)
		}
	}
	if w.spent() || len(m.explicit[name]) > min(maxClauses, m.limits.Rules) {
		return false, fmt.Errorf("the conditions on %s are too many to be met with the floor's; give it fewer", name)
	}
	return clearFloor && clearOwn, nil
}
