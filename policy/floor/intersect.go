package floor

import (
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// flooring is the state of one call of Floor.
type flooring struct {
	limits     Limits
	work       *semantics.Work
	floor, own *semantics.Meaning
	names      []string
	arches     []specs.Arch // native first
	otherwise  semantics.Outcome
	// edits, if there are any, are what the result differs by from the profile. The floor is
	// then the profile itself.
	edits *semantics.Edits
	// union is set if the result is to do what either profile does, and not what both do. The
	// floor is then the second profile.
	union bool
	// unheard is set if the profile has another listener than the floor: that listener
	// must not answer the calls that the floor notifies of.
	unheard bool

	// explicit has the rules of the result by name.
	explicit map[string][]semantics.Clause
	// direct is explicit before the corrections for i386's multiplexers. It is used if
	// i386 is left out.
	direct map[string][]semantics.Clause
	// front are rules on socketcall and ipc, which come before all others.
	front []frontRule
	// markers are names with a rule that repeats the default, only so that runc's
	// ENOSYS stub starts above them.
	markers map[string]bool
	notes   []string
	// read is what the rules so far mean; nil after a change.
	read *semantics.Meaning
}

type frontRule struct {
	name string
	semantics.Clause
}

func (m *flooring) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(m.notes, n) {
		m.notes = append(m.notes, n)
	}
}

// commonArches sets the architectures that both profiles have and that Batten can compute
// for.
func (m *flooring) commonArches(native specs.Arch) error {
	if _, known := syscalls.SetOf[native]; !known {
		return fmt.Errorf("no floor can be computed on %s machines", runtime.GOARCH)
	}
	for _, arch := range m.own.Arches {
		_, known := syscalls.SetOf[arch]
		switch {
		case !slices.Contains(m.floor.Arches, arch):
		case known:
			m.arches = append(m.arches, arch)
		default:
			m.note("%s left out: no floor can be computed for it", arch)
		}
	}
	return nil
}

// listed returns the architectures of the result, in the order in which the profile has
// them.
func (m *flooring) listed(own []specs.Arch) []specs.Arch {
	return slices.DeleteFunc(slices.Clone(own), func(a specs.Arch) bool { return !slices.Contains(m.arches, a) })
}

// want returns what the result must do for a syscall on arch. clear is false if the rules
// of one of the profiles have more than one meaning there.
func (m *flooring) want(w *semantics.Budget, arch specs.Arch, name string) (want, own semantics.Function, clearFloor, clearOwn bool) {
	if m.edits != nil {
		own, clearOwn = m.own.On(arch, name)
		return m.edited(w, own, arch, name), own, clearOwn, clearOwn
	}
	f, clearFloor := m.floor.On(arch, name)
	if m.floor == m.own {
		return f, f, clearFloor, clearFloor
	}
	if m.unheard {
		f = f.Unheard()
	}
	own, clearOwn = m.own.On(arch, name)
	if len(f.Pieces) == 0 && len(own.Pieces) == 0 && !m.union {
		return semantics.Constant(own.Whole, semantics.Together(f.Otherwise, own.Otherwise)), own, clearFloor, clearOwn
	}
	if m.union {
		want = w.Join(f, own)
	} else {
		want = w.Meet(f, own)
	}
	if o, one := want.Constant(w); one {
		want = semantics.Constant(own.Whole, o)
	}
	return want, own, clearFloor, clearOwn
}

// unchanged reports whether the profile already does what the result must do.
func (m *flooring) unchanged(p specs.LinuxSeccomp) bool {
	if m.own.Split || len(m.own.Misread) > 0 || m.otherwise != m.own.Otherwise || len(m.listed(p.Architectures)) != len(p.Architectures) {
		return false
	}
	for _, arch := range m.arches {
		for _, name := range m.names {
			if !has(arch, name) {
				continue
			}
			w := m.work.One()
			want, own, _, clear := m.want(&w, arch, name)
			if !clear || (m.floor != m.own || m.edits != nil) && !w.Same(want, own) || w.Spent() {
				return false
			}
		}
	}
	return !slices.ContainsFunc(m.arches, func(arch specs.Arch) bool { return m.tooLoose(m.own, arch) > 0 })
}

// has reports whether arch has the call, as far as Batten knows.
func has(arch specs.Arch, name string) bool {
	on, known := syscalls.Arches(name)
	return !known || on&syscalls.SetOf[arch] != 0
}

// authority returns the architecture whose meaning decides how a name's rules are written.
// ok is false if no architecture of the result has the call.
func (m *flooring) authority(name string) (arch specs.Arch, ok bool) {
	i := slices.IndexFunc(m.arches, func(arch specs.Arch) bool { return has(arch, name) })
	if i < 0 {
		return "", false
	}
	return m.arches[i], true
}

// compute makes the rules of the result and compares them with what is wanted, architecture
// by architecture.
func (m *flooring) compute() error {
	var ambiguous, unjudged []string
	for _, name := range m.names {
		arch, ok := m.authority(name)
		if !ok || arch == specs.ArchX86 && semantics.IsMultiplexer(name) {
			continue
		}
		clear, err := m.name(arch, name)
		if err != nil {
			return err
		}
		if _, known := syscalls.Arches(name); !clear && !known {
			unjudged = append(unjudged, name)
		} else if !clear {
			ambiguous = append(ambiguous, name)
		}
	}
	if err := m.within(m.rules()); err != nil {
		return err
	}
	if len(ambiguous) > 0 {
		m.note("rules that overlap with different actions, the strictest counts: %s", semantics.Some(ambiguous))
	}
	if len(unjudged) > 0 {
		m.note("calls that Batten does not know, judged by their strictest rule whatever the arguments: %s", semantics.Some(unjudged))
	}
	m.settleStub()
	if slices.Contains(m.arches, specs.ArchX86) {
		m.direct = maps.Clone(m.explicit)
		if why := m.multiplexers(); why != "" {
			m.leaveOut(specs.ArchX86, why)
		}
		m.settleStub()
	}
	if slices.Contains(m.result().Misread, specs.ArchX86_64) {
		m.leaveOut(specs.ArchX32, "with it libseccomp may misread a profile that names calls which x86_64 lacks")
	}
	if err := m.verify(); err != nil {
		return err
	}
	return m.within(m.rules())
}

// manyClauses is from how many rules on one call on [Limits].Coarse counts.
const manyClauses = 100

// name makes the rules of one syscall.
func (m *flooring) name(arch specs.Arch, name string) (clear bool, err error) {
	w := m.work.One()
	want, own, clearFloor, clearOwn := m.want(&w, arch, name)
	if len(want.Pieces) == 0 && want.Otherwise.Order == semantics.OrderErrno && m.aboveBound(arch, name) && m.edits == nil && !m.union {
		return true, nil // the stub answers, unless settleDenied finds otherwise
	}
	stub := m.union && len(m.own.Clauses[name]) == 0 // answers for the first profile
	if clearOwn && !stub && !m.own.Split && m.own.Otherwise == m.otherwise && w.Same(want, own) {
		m.explicit[name] = m.own.Clauses[name]
	} else {
		m.explicit[name] = w.Express(want, m.otherwise)
		if own := m.own.Clauses[name]; m.limits.Coarse && len(own) > 0 && (w.Spent() || len(m.explicit[name]) > manyClauses) {
			w = m.work.One()
			m.explicit[name] = w.Coarse(want, own)
		}
		if _, behind := syscalls.Multiplexed[name]; behind && semantics.Halved(m.explicit[name]) {
			m.lengthen(name)
		}
	}
	if w.Spent() || len(m.explicit[name]) > min(semantics.MaxClauses, m.limits.Rules) {
		if m.union {
			return false, fmt.Errorf("the conditions on %s are too many to be joined; give it fewer", name)
		}
		return false, fmt.Errorf("the conditions on %s are too many to be met with the floor's; give it fewer", name)
	}
	return clearFloor && clearOwn, nil
}
