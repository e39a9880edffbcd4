package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// source is a profile of a policy: one that is written, or one that is made from another.
type source struct {
	written *profile.Profile
	made    *made
}

// made is a profile that from, allow and deny make.
type made struct {
	from  string  // RuntimeDefault, builtin, Unconfined or the name of a profile
	base  *source // nil for a word
	edits semantics.Edits
	at    document.Finding // where it stands
}

// resolve returns the profile of a source for a container with the given bounding set. A profile
// that is made from another follows it: its capabilities and its changes.
func (p *Policy) resolve(own *source, bounding []string, m Machine) (specs.LinuxSeccomp, []string, error) {
	if own.made == nil {
		return own.written.Resolve(profile.Target{Bounding: bounding, KernelRelease: m.KernelRelease}), nil, nil
	}
	var base specs.LinuxSeccomp
	var notes []string
	var err error
	switch {
	case own.made.base != nil:
		base, notes, err = p.resolve(own.made.base, bounding, m)
	case own.made.from == Unconfined:
		base = specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: profile.RuntimeDefault(nil).Architectures}
	default:
		base, notes, err = p.single(own.made.from, bounding, m)
	}
	if err != nil {
		return base, nil, err
	}
	out, more, err := p.floors.edit(base, own.made.edits, m.Computed)
	if err != nil {
		return out, nil, fmt.Errorf("from %s: %w", own.made.from, err)
	}
	return out, append(notes, more...), nil
}

// single returns the profile of one word or name.
func (p *Policy) single(name string, bounding []string, m Machine) (specs.LinuxSeccomp, []string, error) {
	if name == RuntimeDefault {
		name = p.runtimeDefault
	}
	if name == builtinProfile {
		return profile.RuntimeDefault(bounding), nil, nil
	}
	own, ok := p.profiles[name]
	if !ok {
		return specs.LinuxSeccomp{}, nil, fmt.Errorf("policy %q: no profile %q", p.Path, name)
	}
	s, notes, err := p.resolve(own, bounding, m)
	if err != nil {
		err = fmt.Errorf("policy %q: profile %q: %w", p.Path, name, err)
	}
	return s, notes, err
}

// Made returns what cannot be made, as errors, of the profiles that are made from others, and as
// notes where such a profile is not exactly what is written. It tries each with no capabilities
// and with all.
func (p *Policy) Made(m Machine) (findings document.Findings, notes []string) {
	var all []*source
	for _, name := range p.ProfileNames() {
		all = append(all, p.profiles[name])
	}
	all = append(all, p.dropped...)
	for _, own := range all {
		if own.made == nil {
			continue
		}
		for _, bounding := range [][]string{nil, profile.Capabilities} {
			made, said, err := p.resolve(own, bounding, m)
			if err == nil && !slices.ContainsFunc(all, own.below) {
				err = startsNone(&made)
			}
			if err != nil {
				f := own.made.at
				f.Message = err.Error()
				findings = append(findings, f)
				break
			}
			for _, note := range said {
				if note = fmt.Sprintf("%s: %s", own.made.at.Path, note); !slices.Contains(notes, note) {
					notes = append(notes, note)
				}
			}
		}
	}
	return findings, notes
}

// below reports whether other is made from own.
func (own *source) below(other *source) bool { return other.made != nil && other.made.base == own }

// startsNone returns an error for a profile for which each container that is to run under it would
// be refused.
func startsNone(s *specs.LinuxSeccomp) error {
	missing := profile.Missing(s, false)
	switch {
	case profile.FiltersNothing(s):
		return fmt.Errorf("filters nothing, and a container that is to run under it is refused; write %s where that is meant", Unconfined)
	case slices.Contains(missing, "execve"):
		return fmt.Errorf("cannot start a container: denies %s, which the runtime needs after the filter is in place", strings.Join(missing, ", "))
	}
	return nil
}
