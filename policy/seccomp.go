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
// out for the machine.
func (p *Policy) Seccomp(d Decision, bounding []string, m Machine) (s specs.LinuxSeccomp, notes []string, err error) {
	name := d.Profile
	if name == RuntimeDefault {
		name = p.runtimeDefault
	}
	if name == builtinProfile {
		s = profile.RuntimeDefault(bounding)
	} else {
		named, ok := p.profiles[name]
		if !ok {
			return s, nil, fmt.Errorf("policy %q: no profile %q", p.Path, name)
		}
		s = named.Resolve(profile.Target{Bounding: bounding, KernelRelease: m.KernelRelease})
	}
	s, notes = profile.ForArchitectures(s, p.Architectures, m.ABIs)
	return s, notes, nil
}
