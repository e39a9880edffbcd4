package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// skipped returns an error if the runtime would skip rules that the policy demands of a container
// which runs under s: rules of the profile that the policy supplies, or of its floors. Rules that
// only the container brings, and that the runtime skips, get a note.
func (p *Policy) skipped(o *Outcome, s *specs.LinuxSeccomp, m Machine) error {
	type demand struct {
		of, name string
		profile  *specs.LinuxSeccomp
	}
	var demands []demand
	if o.MandatoryProfile != nil {
		demands = append(demands, demand{"mandatory floor", o.Mandatory, o.MandatoryProfile})
	}
	if o.Verdict == Replace && o.BaseProfile != nil && !o.bare() {
		demands = append(demands, demand{"profile", o.Profile, o.BaseProfile})
	}
	if o.FloorProfile != nil && o.FloorProfile != o.BaseProfile {
		demands = append(demands, demand{"floor", o.Floor, o.FloorProfile})
	}
	for _, d := range demands {
		names, err := semantics.Skipped(d.profile, s, m.Runtime, m.Calls)
		if err != nil {
			return fmt.Errorf("policy %q: %s %q: %w", p.Path, d.of, d.name, err)
		}
		if len(names) > 0 {
			return fmt.Errorf("policy %q: %w", p.Path, &semantics.SkippedError{
				Profile: fmt.Sprintf("%s %q", d.of, d.name), Names: names, Runtime: m.Runtime,
			})
		}
	}
	names, err := semantics.Skipped(s, s, m.Runtime, m.Calls)
	if err != nil {
		return nil // the runtime will refuse it, and say why
	}
	if len(names) > 0 {
		o.Notes = append(o.Notes, fmt.Sprintf("nothing denies %s, as its own profile would: %s skips rules on names that it does not know", strings.Join(names, ", "), m.Runtime))
	}
	return nil
}

// Skipped returns the denials, of profiles and floors, for which containers would be
// refused because the runtime of m skips the name. It tries each rule of the policy with a
// container that brings no filter, and with one that brings the loosest filter.
func (p *Policy) Skipped(m Machine) (out document.Findings) {
	p = p.demandingAll()
	said := make(map[string]bool)
	try := func(answers Answers, rule string, r Request) {
		o := Outcome{Decision: answers.decide(rule, r.Filtered, "")}
		p.mandate(&o.Decision, &r)
		err := p.skippedBy(r, &o, m)
		var skipped *semantics.SkippedError
		if !errors.As(err, &skipped) || said[skipped.Error()] {
			return
		}
		said[skipped.Error()] = true
		out = append(out, document.Finding{
			ID: "skipped-name", What: "policy", File: p.Path, Message: skipped.Error(), Warning: o.Mode == Audit,
		})
	}
	for _, bounding := range [][]string{nil, profile.Capabilities} {
		for _, filtered := range []bool{false, true} {
			r := Request{Bounding: bounding, Filtered: filtered}
			try(p.Answers, "", r)
			for _, rule := range p.Rules {
				try(rule.Answers, rule.Name, r)
			}
		}
	}
	return out
}

// skippedBy returns skipped's error for a decision about a container whose own filter, if it
// brings one, is not known.
func (p *Policy) skippedBy(r Request, o *Outcome, m Machine) error {
	if err := p.hold(r, o, m); err != nil {
		return nil // the container is refused for another reason
	}
	if err := p.fill(r, o, m); err != nil {
		return nil // the container is refused for another reason
	}
	if o.Result == nil {
		o.Result = o.FloorProfile // the loosest filter, tightened, is the floor
		if err := p.holdResult(Request{}, o, m); err != nil {
			return nil
		}
	}
	if o.Result == nil {
		return nil
	}
	return p.skipped(o, o.Result, m)
}
