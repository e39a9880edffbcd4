package policy

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Machine is what a profile is resolved against besides the container.
type Machine struct {
	ABIs profile.ABIs
	// KernelRelease is uname's release.
	KernelRelease string
}

// Seccomp is the linux.seccomp that a decision with Verdict Replace puts in
// place for a container with the given bounding set. Notes say what was left
// out for the machine. A profile that filters nothing is an error.
func (p *Policy) Seccomp(d Decision, bounding []string, m Machine) (s specs.LinuxSeccomp, notes []string, err error) {
	if s, err = p.resolve(d.Profile, bounding, m); err != nil {
		return s, nil, err
	}
	s, notes = profile.ForArchitectures(s, p.Architectures, m.ABIs)
	if profile.FiltersNothing(&s) {
		return s, nil, fmt.Errorf("policy %q: profile %q filters nothing for a container with these capabilities; write %s where that is meant", p.Path, d.Profile, Unconfined)
	}
	return s, notes, nil
}

// FloorSeccomp is the linux.seccomp of a decision's floor for a container with
// the given bounding set. No architecture is left out of it: what is met with it
// has its own. A floor that filters nothing is an error.
func (p *Policy) FloorSeccomp(d Decision, bounding []string, m Machine) (specs.LinuxSeccomp, error) {
	s, err := p.resolve(d.Floor, bounding, m)
	if err == nil && profile.FiltersNothing(&s) {
		err = fmt.Errorf("policy %q: floor %q filters nothing for a container with these capabilities; write %s where that is meant", p.Path, d.Floor, None)
	}
	return s, err
}

// resolve is the profile of a word or name.
func (p *Policy) resolve(name string, bounding []string, m Machine) (specs.LinuxSeccomp, error) {
	if name == RuntimeDefault {
		name = p.runtimeDefault
	}
	if name == builtinProfile {
		return profile.RuntimeDefault(bounding), nil
	}
	named, ok := p.profiles[name]
	if !ok {
		return specs.LinuxSeccomp{}, fmt.Errorf("policy %q: no profile %q", p.Path, name)
	}
	return named.Resolve(profile.Target{Bounding: bounding, KernelRelease: m.KernelRelease}), nil
}
