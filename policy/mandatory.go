package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Mandatory is a floor that holds for every container: beside the floor that the policy's top
// or a rule asks for, for containers that run unconfined, and in mode Audit, too.
type Mandatory struct {
	// Name is the name of a profile, or RuntimeDefault.
	Name string
	// File is the policy or the drop-in in which it stands.
	File string
	// Except are the containers that a drop-in leaves out: those that one of them matches.
	Except []Match

	profile *source // nil for RuntimeDefault
}

// mandatoryFor returns the mandatory floors that hold for the container of r, and those that
// leave it out.
func (p *Policy) mandatoryFor(r *Request) (hold, without floors) {
	who := Identify(*r)
	for _, f := range p.Mandatory {
		if slices.ContainsFunc(f.Except, func(m Match) bool { return m.matches(r, &who) }) {
			without = append(without, f)
		} else {
			hold = append(hold, f)
		}
	}
	return hold, without
}

// floors are mandatory floors.
type floors []Mandatory

// String names them in the words of a sentence; empty without one.
func (l floors) String() string {
	var out []string
	for _, f := range l {
		if !slices.Contains(out, f.Name) {
			out = append(out, f.Name)
		}
	}
	return strings.Join(out, ", ")
}

// of says of which containers they are demanded.
func (l floors) of() string {
	if slices.ContainsFunc(l, func(f Mandatory) bool { return f.Except != nil }) {
		return "every container but those that a drop-in leaves out"
	}
	return "every container"
}

// mandate adds the mandatory floors to a decision by the rules.
func (p *Policy) mandate(d *Decision, r *Request) {
	hold, without := p.mandatoryFor(r)
	d.Mandatory, d.LeftOut = hold.String(), without.String()
	if d.Verdict == Refuse {
		return
	}
	if d.Mandatory != "" {
		d.Reason += fmt.Sprintf(", and the node demands %s of %s", hold, hold.of())
	}
	if d.LeftOut != "" {
		d.Reason += fmt.Sprintf(", and the drop-in of %s leaves it out", d.LeftOut)
	}
	if d.Mandatory == "" || d.Verdict != Leave {
		return
	}
	d.Verdict = Tighten
	if !r.Filtered {
		d.Verdict, d.Profile = Replace, d.Mandatory
	}
}

// bare reports whether a container runs under the mandatory floors and nothing else.
func (d Decision) bare() bool { return d.Word == Unconfined && d.Floor == "" && d.Mandatory != "" }

// hold fills in the mandatory floors of o, and what the container runs under in mode Audit,
// which is nil also where the filter that it brings is not at hand.
func (p *Policy) hold(r Request, o *Outcome, m Machine) error {
	o.Audited = o.Brought
	hold, _ := p.mandatoryFor(&r)
	if len(hold) == 0 {
		return nil
	}
	all, notes, err := p.mandatory(hold, r.Bounding, m)
	if err != nil {
		return err
	}
	o.MandatoryProfile, o.Notes = all, slices.Concat(o.Notes, notes)
	if o.Mode != Audit || r.Filtered && o.Brought == nil {
		return nil
	}
	o.Audited, notes, err = p.under(o.Mandatory, all, o.Brought, m)
	o.Notes = slices.Concat(o.Notes, notes)
	return err
}

// holdResult puts the mandatory floors under the result, which is nil where the filter that the
// container brings is not at hand.
func (p *Policy) holdResult(r Request, o *Outcome, m Machine) error {
	if o.MandatoryProfile == nil || r.Filtered && o.Result == nil {
		return nil
	}
	result, notes, err := p.under(o.Mandatory, o.MandatoryProfile, o.Result, m)
	if err != nil {
		return err
	}
	if result != o.Result {
		o.Result, o.Rewrite = result, true
	}
	if o.Mode == Enforce {
		o.Notes = slices.Concat(o.Notes, notes)
	}
	return nil
}

// under returns a profile that is nowhere looser than all, which is made of the mandatory
// floors of these names: own, if that is so already; all, if there is no other.
func (p *Policy) under(names string, all, own *specs.LinuxSeccomp, m Machine) (*specs.LinuxSeccomp, []string, error) {
	if own == nil { // as written: an ABI that is left out is denied whole
		return all, nil, nil
	}
	met, notes, err := p.floors.intersect(*all, *own, m.Computed)
	if err != nil {
		return nil, nil, fmt.Errorf("policy %q: the mandatory floors (%s) cannot be put under its profile: %w", p.Path, names, err)
	}
	if met.Unchanged {
		return own, notes, nil
	}
	return &met.Seccomp, notes, nil
}

// mandatory returns the profile that mandatory floors make together, for a container with
// the given bounding set. Errors name the file in which a floor stands.
func (p *Policy) mandatory(hold floors, bounding []string, m Machine) (*specs.LinuxSeccomp, []string, error) {
	var met meeting
	for _, f := range hold {
		s, notes, err := p.mandated(f, bounding, m)
		if err == nil {
			met.notes = append(met.notes, notes...)
			err = met.add(&p.floors, s, m.Computed)
		}
		if err == nil && len(hold) == 1 { // alone it would keep rules that libseccomp makes something else of
			err = met.add(&p.floors, s, m.Computed)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("policy %q: mandatory floor %q: %w", f.File, f.Name, err)
		}
	}
	return met.all, met.notes, nil
}

// mandated returns the profile of one mandatory floor, and notes of how it was made.
func (p *Policy) mandated(f Mandatory, bounding []string, m Machine) (s specs.LinuxSeccomp, notes []string, err error) {
	if f.profile == nil {
		s, notes, err = p.single(f.Name, bounding, m)
	} else {
		s, notes, err = p.resolve(f.profile, bounding, m)
	}
	switch {
	case err != nil:
		return s, nil, err
	case profile.FiltersNothing(&s):
		return s, nil, fmt.Errorf("it filters nothing for a container with these capabilities; take it off the list where that is meant")
	}
	return s, notes, heldByAll(&s)
}

// same reports whether two profiles say the same, word for word.
func same(a, b *specs.LinuxSeccomp) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a == b || bytes.Equal(profile.Encode(*a), profile.Encode(*b))
}
