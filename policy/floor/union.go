package floor

import (
	"cmp"
	"errors"
	"runtime"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Union returns the profile that does for each call what the looser of the two does: it allows
// what either allows, and kills only where both kill. Where both fail a call, the errno is that
// of first. It lists the architectures that either lists. If first does all that already, the
// result is first as it stands.
//
// The result was read again, and is nowhere stricter than either profile and nowhere looser than
// the two together, but for two things that no rule can say, and that notes name. Rules are for
// every architecture of a profile: what one profile allows is allowed on an architecture that only
// the other lists. On i386, calls through socketcall or ipc that are allowed by default may be
// logged.
//
// One thing more may differ: the errno of a call that neither profile names, or that is not made
// by the machine's own architecture.
//
// It is an error if runc would refuse one of the profiles, if the rules of one have more than one
// meaning, if both notify listeners, and these differ, or if the result or the work exceeds what
// [Floor] takes.
func Union(first, second specs.LinuxSeccomp, limits Limits) (out specs.LinuxSeccomp, notes []string, err error) {
	w := semantics.NewWork()
	m := &flooring{work: w, limits: limits.orDefaults(), union: true, explicit: make(map[string][]semantics.Clause), markers: make(map[string]bool)}
	arches := slices.Clone(first.Architectures)
	for _, arch := range second.Architectures {
		if !slices.Contains(arches, arch) {
			arches = append(arches, arch)
		}
	}
	if m.own, err = m.understand("the first profile", first, arches); err != nil {
		return out, nil, err
	}
	if m.floor, err = m.understand("the second profile", second, arches); err != nil {
		return out, nil, err
	}
	if err := m.commonArches(m.own.Arches[0]); err != nil {
		return out, nil, err
	}
	m.names = semantics.Names(m.own, m.floor)
	m.otherwise = semantics.Either(m.floor.Otherwise, m.own.Otherwise)
	out = specs.LinuxSeccomp{Flags: eitherFlags(first.Flags, second.Flags)}
	if err := listener(&out, first, second); err != nil {
		return out, nil, err
	}
	if len(arches) == len(first.Architectures) && sameFlags(out.Flags, first.Flags) && sameListener(out, first) && m.joined() {
		m.widened(first, second)
		return first, m.notes, w.Err()
	}
	if err := m.join(); err != nil {
		return out, nil, cmp.Or(w.Err(), err)
	}
	m.widened(first, second)
	out.DefaultAction, out.DefaultErrnoRet = m.otherwise.Action()
	out.Architectures = m.listed(arches)
	out.Syscalls = m.rules()
	if err := settleListener(&out); err != nil {
		return out, nil, err
	}
	if err := cmp.Or(m.legible(out), w.Err()); err != nil {
		return out, nil, err
	}
	return out, m.notes, nil
}

// understand reads a profile as if it listed all arches.
func (m *flooring) understand(whose string, p specs.LinuxSeccomp, arches []specs.Arch) (*semantics.Meaning, error) {
	if err := semantics.CheckSize(&p); err != nil {
		return nil, semantics.Said(whose, err)
	}
	p.Architectures = arches
	meaning, err := semantics.Understand(m.work, &p, syscalls.Native[runtime.GOARCH])
	return meaning, semantics.Said(whose, err)
}

// eitherFlags returns the flags of the union: of the flags that make a filter stricter those that
// both have, of the others those that either has. No list means SPEC_ALLOW to runc.
func eitherFlags(first, second []specs.LinuxSeccompFlag) []specs.LinuxSeccompFlag {
	if first == nil && second == nil {
		return nil
	}
	const spec, log = specs.LinuxSeccompFlagSpecAllow, specs.LinuxSeccompFlagLog
	out := []specs.LinuxSeccompFlag{}
	if first == nil || second == nil {
		out = append(out, spec)
	}
	for _, flag := range slices.Concat(first, second) {
		both := slices.Contains(first, flag) && slices.Contains(second, flag)
		if !slices.Contains(out, flag) && (flag != log || both) {
			out = append(out, flag)
		}
	}
	if first == nil && len(out) == 1 {
		return nil
	}
	return out
}

// sameFlags reports whether two lists of flags mean the same.
func sameFlags(a, b []specs.LinuxSeccompFlag) bool {
	if (a == nil) != (b == nil) || len(a) != len(b) {
		return false
	}
	return !slices.ContainsFunc(a, func(flag specs.LinuxSeccompFlag) bool { return !slices.Contains(b, flag) })
}

// listener gives the result the listener of either profile.
func listener(out *specs.LinuxSeccomp, first, second specs.LinuxSeccomp) error {
	of := first
	if first.ListenerPath == "" {
		of = second
	}
	if second.ListenerPath != "" && !sameListener(of, second) {
		return errors.New("the two profiles notify different listeners, and a profile has one")
	}
	out.ListenerPath, out.ListenerMetadata = of.ListenerPath, of.ListenerMetadata
	return nil
}
