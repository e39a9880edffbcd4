package profile

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"

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
