package floor

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Limits bound the result of [Floor]. The zero value means the defaults.
type Limits struct {
	// Rules counts one for each name in each entry of syscalls; by default 4,096.
	Rules int
	// Instructions of the compiled filter, estimated without compiling it: by default
	// 4,096, the kernel's limit (BPF_MAXINSNS). The estimate is never below what
	// libseccomp 2.5 needs.
	Instructions int
	// Coarse allows a result that is stricter than both where it would need many rules on
	// one call: then the profile's own conditions stay, each with the strictest outcome that
	// its calls have. A note names such calls. It may take eight times [semantics.MaxWork],
	// and be as large as the kernel takes; prove it by the compiled filter.
	Coarse bool
}

const coarseWork = 8

// Floored is a profile that was made no looser than a floor.
type Floored struct {
	Seccomp specs.LinuxSeccomp
	// Unchanged is set if Seccomp is the profile itself, because it is nowhere looser
	// than the floor.
	Unchanged bool
	// Steps is the work that Floor took, of at most [MaxWork]. It is set even if Floor
	// returns an error.
	Steps int
}

// Floor returns the profile under which a container acts as the kernel would make
// it act with both filters installed, floor first and p after it: for every
// arch, syscall and argument the stricter action, at a tie with the errno of p.
// An arch that one of the two lacks is left out, and killed.
//
// If p is nowhere looser than floor and its rules have one meaning, the result is p
// itself. Notes say where the result is not exact. It is stricter there: for rules with more
// than one meaning, and for calls on i386 or x32 that no rule can single out.
//
// If the floor notifies a listener of a call, the result does so only if p notifies the same
// listener of it, too. Otherwise the call fails with ENOSYS, as in a kernel where nobody
// listens.
//
// One thing more may differ: the errno for numbers of no syscall, between the highest
// numbers that the two profiles name.
//
// It is an error if runc would refuse one of the profiles, if the result exceeds limits, or
// if the work exceeds [MaxNames], [MaxConditions] or [MaxWork].
func Floor(floor, p specs.LinuxSeccomp, limits Limits) (floored Floored, notes []string, err error) {
	native := syscalls.Native[runtime.GOARCH]
	w := semantics.NewWork()
	if limits.Coarse { // nobody waits for a container to start
		w = semantics.WorkOf(coarseWork * semantics.MaxWork)
	}
	defer func() { floored.Steps = w.Done() }()
	if err := errors.Join(semantics.Said("the floor", semantics.CheckSize(&floor)), semantics.Said("the profile", semantics.CheckSize(&p))); err != nil {
		return floored, nil, err
	}
	f, err := semantics.Understand(w, &floor, native)
	if err != nil {
		return floored, nil, fmt.Errorf("the floor: %w", err)
	}
	own := f
	if !reflect.DeepEqual(floor, p) {
		if own, err = semantics.Understand(w, &p, native); err != nil {
			return floored, nil, fmt.Errorf("the profile: %w", err)
		}
	}
	m := &flooring{work: w, limits: limits.orDefaults(), floor: f, own: own, names: semantics.Names(f, own), explicit: make(map[string][]semantics.Clause), markers: make(map[string]bool)}
	m.otherwise = semantics.Together(f.Otherwise, own.Otherwise)
	m.unheard = !sameListener(floor, p)
	if err := m.commonArches(native); err != nil {
		return floored, nil, err
	}
	out := specs.LinuxSeccomp{Flags: commonFlags(floor.Flags, p.Flags), ListenerPath: p.ListenerPath, ListenerMetadata: p.ListenerMetadata}
	if w.Left < 0 {
		return floored, nil, semantics.ErrWork
	}
	if slices.Equal(out.Flags, p.Flags) && (out.Flags == nil) == (p.Flags == nil) && m.unchanged(p) {
		return Floored{Seccomp: p, Unchanged: true}, m.notes, nil
	}
	if err := m.compute(); err != nil {
		return floored, nil, cmp.Or(w.Err(), err)
	}
	out.DefaultAction, out.DefaultErrnoRet = m.otherwise.Action()
	out.Architectures = m.listed(p.Architectures)
	out.Syscalls = m.rules()
	if err := settleListener(&out); err != nil {
		return floored, nil, err
	}
	if err := cmp.Or(m.legible(out), w.Err()); err != nil {
		return floored, nil, err
	}
	return Floored{Seccomp: out}, m.notes, nil
}

// commonFlags returns the flags of the intersection. It returns a list even if that is
// empty, unless SPEC_ALLOW is meant, which runc sets if there is no list.
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

// sameListener reports whether two profiles notify the same listener with the same
// metadata: the listener may decide its answers by the metadata.
func sameListener(a, b specs.LinuxSeccomp) bool {
	return a.ListenerPath == b.ListenerPath && a.ListenerMetadata == b.ListenerMetadata
}

// settleListener removes the listener if no rule notifies it.
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
