package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/engines"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Resolve returns what the container of r runs under on machine m. Brought is the filter
// that the container brings; it is nil for none, and for one that filters nothing (see
// [profile.FiltersNothing]). Nothing else in Batten answers this question.
//
// If r.Filtered is set and brought is nil, the caller does not have the filter. The
// decision is right then, and Result is nil if it depends on the filter.
func (p *Policy) Resolve(r Request, brought *specs.LinuxSeccomp, m Machine) Outcome {
	r.Filtered = r.Filtered || brought != nil
	if brought != nil && r.Default == "" {
		r.Default = engines.Default(brought, r.Bounding)
	}
	o := Outcome{Decision: p.Decide(r), Identity: Identify(r), Brought: brought, Default: r.Default}
	o.Refusal = p.unheld(r, &o, m)
	o.Unheld = o.Refusal != ""
	if !o.Unheld {
		o.Refusal = p.refusal(r, &o, m)
	}
	if o.Refusal != "" {
		o.Result, o.Rewrite = nil, false
	}
	o.Observed, o.Unobserved = o.observe(r, m)
	o.Missing = profile.Missing(o.Runs(), r.NoNewPrivileges)
	return o
}

// unheld fills in what the mandatory floors make of o in mode Audit. It returns why they could
// not hold; empty if they do, or there is none.
func (p *Policy) unheld(r Request, o *Outcome, m Machine) string {
	if o.Mandatory != "" && r.Restore && (p.RestoreAllowed || o.Mode == Audit) {
		hold, _ := p.mandatoryFor(&r)
		return fmt.Sprintf("the node demands %s of %s, and a checkpoint brings a seccomp filter of its own: start the container anew", hold, hold.of())
	}
	if err := p.hold(r, o, m); err != nil {
		return err.Error()
	}
	if o.Mode == Audit && o.MandatoryProfile != nil {
		return p.unfit(r, o, o.Audited, m)
	}
	return ""
}

// refusal fills in the profiles of o. It returns why they cannot be computed, or why the
// container must not run; it returns "" if the container may run.
func (p *Policy) refusal(r Request, o *Outcome, m Machine) string {
	if r.Restore && !p.RestoreAllowed {
		return fmt.Sprintf("policy %q: restore is %s: a checkpoint brings a seccomp filter of its own, which the policy cannot see; start the container anew, or write restore: Allow", p.Path, Deny)
	}
	if r.Unseen != "" {
		return fmt.Sprintf("policy %q: its rules match mounts or namespaces, and it is unknown %s", p.Path, r.Unseen)
	}
	if o.Question == forgedNames {
		return fmt.Sprintf("%s; %s", o.Reason, o.Remedy())
	}
	if o.Verdict == Refuse {
		return fmt.Sprintf("%s (policy %q); %s", o.Reason, p.Path, o.Remedy())
	}
	if err := p.fill(r, o, m); err != nil {
		return err.Error()
	}
	return p.unfit(r, o, o.Result, m)
}

// unfit says why no container must start under a profile of o; it is empty if one may.
func (p *Policy) unfit(r Request, o *Outcome, s *specs.LinuxSeccomp, m Machine) string {
	if s == nil {
		return ""
	}
	if err := p.skipped(o, s, m); err != nil {
		return err.Error()
	}
	if key := overriding(r.Annotations); key != "" {
		return fmt.Sprintf("annotation %q: crun would take it for the filter in place of linux.seccomp; remove it", key)
	}
	if missing := profile.Missing(s, r.NoNewPrivileges); slices.Contains(missing, "execve") {
		return fmt.Sprintf("its seccomp profile cannot start any container: it denies %s, which the runtime needs after the filter is in place; add them, or ask for RuntimeDefault", strings.Join(missing, ", "))
	}
	if hangs := profile.Hangs(s, r.NoNewPrivileges, m.Runtime.IsRunc(profile.RecentRunc)); len(hangs) > 0 && !m.Runtime.IsCrun() {
		return fmt.Sprintf("its seccomp profile hangs the runtime: it ends the thread that calls %s, which runc needs after the filter is in place, and the others wait for good; allow them, or ask for RuntimeDefault", strings.Join(hangs, ", "))
	}
	return ""
}

// fill makes the result: base, floor and mandatory floors together.
func (p *Policy) fill(r Request, o *Outcome, m Machine) error {
	if err := p.meet(r, o, m); err != nil {
		return err
	}
	return p.holdResult(r, o, m)
}

// meet resolves base and floor for the decision and intersects them.
func (p *Policy) meet(r Request, o *Outcome, m Machine) error {
	o.BaseProfile = o.Brought
	if o.Verdict == Replace && !o.bare() {
		base, notes, err := p.base(o.Decision, r.Bounding, m)
		if err != nil {
			return err
		}
		o.BaseProfile, o.Notes, o.Rewrite = &base, slices.Concat(o.Notes, notes), true
		if o.Brought != nil && o.Question == "present" && r.Default != "" && engines.Same(&base, o.Brought) {
			o.BaseProfile, o.Rewrite = o.Brought, false
		}
	}
	o.Result = o.BaseProfile
	switch {
	case o.Floor == "":
		return nil
	case !o.Tightens(): // the base is the floor
		o.FloorProfile = o.BaseProfile
		if err := p.held(o.Decision, o.FloorProfile); err != nil {
			return err
		}
		if o.Floor == RuntimeDefault || o.BaseProfile == nil { // its rules have one meaning
			return nil
		}
		return p.put(o, *o.BaseProfile, m)
	}
	floor, notes, err := p.floor(o.Decision, r.Bounding, m)
	if err != nil {
		return err
	}
	o.FloorProfile, o.Notes = &floor, slices.Concat(o.Notes, notes)
	if err := p.held(o.Decision, &floor); err != nil {
		return err
	}
	if o.BaseProfile == nil { // the caller does not have the filter
		return nil
	}
	return p.put(o, floor, m)
}

// put puts a floor under the base. One that is the base already is put under it all the same:
// libseccomp may make something else of its rules than they say.
func (p *Policy) put(o *Outcome, floor specs.LinuxSeccomp, m Machine) error {
	met, notes, err := p.floors.intersect(floor, *o.BaseProfile, m.Computed)
	if err != nil {
		return fmt.Errorf("policy %q: floor %q cannot be put under its profile: %w", p.Path, o.Floor, err)
	}
	o.Notes = slices.Concat(o.Notes, notes)
	if !met.Unchanged {
		o.Result, o.Rewrite = &met.Seccomp, true
	}
	return nil
}

// base returns the profile that a decision with Verdict Replace names, for a container with
// the given bounding set. Notes say what was left out on this machine. A profile that
// filters nothing is an error.
func (p *Policy) base(d Decision, bounding []string, m Machine) (s specs.LinuxSeccomp, notes []string, err error) {
	if s, notes, err = p.named(d.Profile, bounding, m); err != nil {
		return s, nil, err
	}
	s, left := profile.ForArchitectures(s, p.Architectures, m.ABIs)
	notes = slices.Concat(notes, left)
	if profile.FiltersNothing(&s) {
		return s, nil, fmt.Errorf("policy %q: profile %q filters nothing for a container with these capabilities; write %s where that is meant", p.Path, d.Profile, Unconfined)
	}
	return s, notes, nil
}

// floor returns the profile of a decision's floor for a container with the
// given bounding set. No architecture is left out of it: the profile that it is
// intersected with has its own. A floor that filters nothing is an error.
func (p *Policy) floor(d Decision, bounding []string, m Machine) (specs.LinuxSeccomp, []string, error) {
	s, notes, err := p.named(d.Floor, bounding, m)
	if err == nil && profile.FiltersNothing(&s) {
		err = fmt.Errorf("policy %q: floor %q filters nothing for a container with these capabilities; write %s where that is meant", p.Path, d.Floor, None)
	}
	return s, notes, err
}

// named returns the profile of a word or name, or of several floors that hold together.
func (p *Policy) named(name string, bounding []string, m Machine) (specs.LinuxSeccomp, []string, error) {
	if names := strings.Split(name, together); len(names) > 1 {
		return p.joined(names, bounding, m)
	}
	return p.single(name, bounding, m)
}
