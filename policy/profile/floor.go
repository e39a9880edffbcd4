package profile

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Limits bound the result of [Floor]. The zero value means the defaults.
type Limits struct {
	// Rules counts one for each name in each entry of syscalls; by default 4,096.
	Rules int
	// Instructions of the compiled filter, as far as they can be told without
	// compiling it: by default 4,096, which is all that the kernel takes
	// (BPF_MAXINSNS). The estimate is never below what libseccomp 2.5 needs.
	Instructions int
}

// Floored is a profile under a floor.
type Floored struct {
	Seccomp specs.LinuxSeccomp
	// Unchanged is set where Seccomp is the profile itself, which is nowhere
	// looser than the floor.
	Unchanged bool
}

// Floor is the profile under which a container acts as the kernel would make
// it act with both filters installed, floor first and p after it: for every
// arch, syscall and argument the stricter action, at a tie with the errno of p.
// An arch that one of the two lacks is left out, and killed.
//
// Where p is nowhere looser than floor and its rules have one meaning, the
// result is p itself. Notes say what is not exact, each time to the stricter
// side: rules with more than one meaning, calls on i386 or x32 that no rule can
// single out, notifications that nobody would receive.
//
// The one thing that may differ besides is the errno of numbers that are no
// syscall's, between the highest numbers that the two profiles name.
//
// Errors are profiles that runc would refuse, and results beyond limits.
func Floor(floor, p specs.LinuxSeccomp, limits Limits) (floored Floored, notes []string, err error) {
	native := seccompArch[runtime.GOARCH]
	f, err := understand(&floor, native)
	if err != nil {
		return floored, nil, fmt.Errorf("the floor: %w", err)
	}
	own := f
	if !reflect.DeepEqual(floor, p) {
		if own, err = understand(&p, native); err != nil {
			return floored, nil, fmt.Errorf("the profile: %w", err)
		}
	}
	m := &flooring{limits: limits.orDefaults(), floor: f, own: own, names: names(f, own), explicit: make(map[string][]clause), markers: make(map[string]bool)}
	m.otherwise = together(f.otherwise, own.otherwise)
	if err := m.commonArches(native); err != nil {
		return floored, nil, err
	}
	out := specs.LinuxSeccomp{Flags: commonFlags(floor.Flags, p.Flags), ListenerPath: p.ListenerPath, ListenerMetadata: p.ListenerMetadata}
	if slices.Equal(out.Flags, p.Flags) && (out.Flags == nil) == (p.Flags == nil) && m.unchanged(p) {
		return Floored{p, true}, m.notes, nil
	}
	if err := m.compute(); err != nil {
		return floored, nil, err
	}
	out.DefaultAction, out.DefaultErrnoRet = m.otherwise.action()
	out.Architectures = m.listed(p.Architectures)
	out.Syscalls = m.rules()
	if err := settleListener(&out); err != nil {
		return floored, nil, err
	}
	if err := m.legible(out); err != nil {
		return floored, nil, err
	}
	return Floored{Seccomp: out}, m.notes, nil
}

// commonFlags are the flags of the meet. Without a list runc sets SPEC_ALLOW,
// so the list is written out, empty too, unless that is what is meant.
func commonFlags(floor, own []specs.LinuxSeccompFlag) []specs.LinuxSeccompFlag {
	has := func(list []specs.LinuxSeccompFlag, flag specs.LinuxSeccompFlag) bool {
		return slices.Contains(list, flag) || list == nil && flag == specs.LinuxSeccompFlagSpecAllow
	}
	out := slices.DeleteFunc(slices.Clone(own), func(flag specs.LinuxSeccompFlag) bool {
		return flag == specs.LinuxSeccompFlagSpecAllow && !has(floor, flag)
	})
	if has(floor, specs.LinuxSeccompFlagLog) && !has(own, specs.LinuxSeccompFlagLog) {
		if own == nil && has(floor, specs.LinuxSeccompFlagSpecAllow) {
			out = append(out, specs.LinuxSeccompFlagSpecAllow)
		}
		out = append(out, specs.LinuxSeccompFlagLog)
	}
	if out == nil && !has(floor, specs.LinuxSeccompFlagSpecAllow) {
		out = []specs.LinuxSeccompFlag{}
	}
	return out
}

// settleListener leaves the listener only where something notifies it.
func settleListener(out *specs.LinuxSeccomp) error {
	notifies := slices.ContainsFunc(out.Syscalls, func(r specs.LinuxSyscall) bool { return r.Action == specs.ActNotify })
	switch {
	case notifies && out.ListenerPath == "":
		return errors.New("the profile: a rule has SCMP_ACT_NOTIFY but listenerPath is missing; runc refuses that")
	case !notifies:
		out.ListenerPath, out.ListenerMetadata = "", ""
		out.Flags = slices.DeleteFunc(out.Flags, func(f specs.LinuxSeccompFlag) bool { return f == specs.LinuxSeccompFlagWaitKillableRecv })
	}
	return nil
}

// flooring is the work of one call of Floor.
type flooring struct {
	limits     Limits
	floor, own *meaning
	names      []string
	arches     []specs.Arch // native first
	otherwise  outcome

	// explicit are the rules of the result by name, direct what they were before
	// i386's multiplexers counted; front are those that must come before all
	// others, on these; markers are names of
	// rules that repeat the default, for the sake of runc's ENOSYS stub.
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
		m.leaveOut(specs.ArchX32, "with it libseccomp misreads short profiles that name calls which x86_64 lacks")
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
