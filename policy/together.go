package policy

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// together stands between floors that hold together, in Answers.Floor and Decision.Floor. No name
// of a profile has it.
const together = ", "

// joined returns the profile that several floors make together. One of them that filters nothing
// is an error, and so is one that a call passes by bits that the kernel does not read.
func (p *Policy) joined(names []string, bounding []string, m Machine) (specs.LinuxSeccomp, []string, error) {
	var met meeting
	for _, name := range names {
		s, notes, err := p.single(name, bounding, m)
		if err != nil {
			return s, nil, err
		}
		met.notes = append(met.notes, notes...)
		if profile.FiltersNothing(&s) {
			return s, nil, fmt.Errorf("policy %q: floor %q filters nothing for a container with these capabilities; take it off the list where that is meant", p.Path, name)
		}
		if err := heldByAll(&s); err != nil {
			return s, nil, fmt.Errorf("policy %q: floor %q: %w", p.Path, name, err)
		}
		if err := met.add(&p.floors, s, m.Computed); err != nil {
			return s, nil, fmt.Errorf("policy %q: floor %q: %w", p.Path, name, err)
		}
	}
	return *met.all, met.notes, nil
}

// meeting is the profile that several make together.
type meeting struct {
	all   *specs.LinuxSeccomp
	notes []string
}

// add puts one more profile under those before it.
func (t *meeting) add(known *intersections, s specs.LinuxSeccomp, c Computed) error {
	if t.all == nil {
		t.all = &s
		return nil
	}
	met, notes, err := known.intersect(s, *t.all, c)
	if err != nil {
		return fmt.Errorf("it cannot be put under those before it: %w", err)
	}
	if !met.Unchanged {
		t.all = &met.Seccomp
	}
	t.notes = append(t.notes, notes...)
	return nil
}
