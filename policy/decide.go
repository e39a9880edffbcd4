package policy

import "fmt"

// Request is one container as the policy sees it.
type Request struct {
	// ContainerdNamespace comes from the daemon.
	ContainerdNamespace string
	// Engine is names.CRIO where batten-runc is configured for CRI-O, whose annotations count
	// then; empty for all others.
	Engine string
	// Runtime is what runs Batten: io.containerd.batten.v2 or batten-runc.
	Runtime string
	// Listener is the socket at which the caller listens for the container's denials if the
	// outcome is that they are observed; empty if it cannot listen.
	Listener string
	// Annotations are the spec's.
	Annotations map[string]string
	// Bounding is the container's bounding set.
	Bounding []string
	// Mounts are the paths of the node that the container sees through its mounts, by
	// every name that they have on the node; Root are those of its root directory.
	Mounts, Root []string
	// Namespaces are those that it shares with the node: values of [HostNamespaces].
	Namespaces []string
	// Unseen says what could not be read of Mounts and Namespaces; it is empty if both
	// are complete.
	Unseen string
	// Hooks are the hooks in the container's spec.
	Hooks []Hook
	// Filtered is set if the container brings a filter, other than one that filters
	// nothing. Resolve sets it from the filter itself.
	Filtered bool
	// Default names the engine whose own default profile the filter is: the container asks for
	// RuntimeDefault; empty for none. Resolve sets it from the filter itself.
	Default string
	// NoNewPrivileges is the spec's process.noNewPrivileges: with it a runtime
	// needs fewer calls after it has loaded the filter.
	NoNewPrivileges bool
	// Restore is set where the process comes out of a checkpoint.
	Restore bool
}

// Verdict is what happens to a container.
type Verdict string

const (
	// Leave starts it as it is.
	Leave Verdict = "Leave"
	// Tighten starts it under the profile that it brings, made no looser than
	// the floor.
	Tighten Verdict = "Tighten"
	// Replace starts it under a profile of the policy, made no looser than the
	// floor.
	Replace Verdict = "Replace"
	// Refuse does not start it.
	Refuse Verdict = "Refuse"
)

// Decision is a policy's answer to one request: which rule decides, and its word. What the
// container runs under is the [Outcome] of [Policy.Resolve].
type Decision struct {
	// Rule is the name of the rule that decided; empty for the top level.
	Rule string
	Mode Mode
	// Question is absent, present or hooks, Word the policy's answer to it; or names, where
	// annotations that name the container cannot be the engine's.
	Question, Word string
	Verdict        Verdict
	// Profile is the base to run under where Verdict is Replace: a word or
	// the name of a profile, or the mandatory floors where there is nothing else.
	Profile string
	// Floor is the profile that the result is never looser than: a word or the name of
	// a profile; empty for none.
	Floor string
	// Mandatory names the mandatory floors, which hold besides; empty for none. LeftOut names
	// those that do not hold, since their drop-in leaves the container out.
	Mandatory, LeftOut string
	// Hooks is the policy's word for the hooks that the container brings.
	Hooks string
	// Denials is the policy's word for what the filter denies; empty for none.
	Denials Denials
	// Always is set if the container is refused whether or not it brings a filter.
	Always bool
	// Reason is the decision as a sentence.
	Reason string
}

// forgedNames is the question of a container whose annotations cannot all be the engine's.
const forgedNames = "names"

// Decide returns what happens to the container of r, by the first rule that matches, or by
// the top of the policy if none does.
func (p *Policy) Decide(r Request) Decision {
	if who := Identify(r); who.forged != "" { // it may be for a rule that enforces
		return Decision{Mode: Enforce, Question: forgedNames, Word: Deny, Verdict: Refuse, Always: true, Reason: who.forged}
	}
	d := p.decideFilter(r)
	p.mandate(&d, &r)
	if d.Hooks == Deny && len(r.Hooks) > 0 && d.Verdict != Refuse {
		d.Question, d.Word, d.Verdict, d.Profile, d.Floor = "hooks", Deny, Refuse, "", ""
		d.Reason = fmt.Sprintf("%s, and %s says hooks: %s", brings(r.Hooks), d.where(), Deny)
	}
	return d
}

// where returns the rule that decided, in the words of a sentence.
func (d Decision) where() string {
	if d.Rule == "" {
		return "the policy's top level"
	}
	return fmt.Sprintf("rule %q", d.Rule)
}

// decideFilter returns what happens to the container's filter.
func (p *Policy) decideFilter(r Request) Decision {
	answers, rule := p.Answers, ""
	who := Identify(r)
	for i := range p.Rules {
		if p.Rules[i].Match.matches(&r, &who) {
			answers, rule = p.Rules[i].Answers, p.Rules[i].Name
			break
		}
	}
	return answers.decide(rule, r.Filtered, r.Default)
}

// decide returns what the answers of a rule say of a container that brings a filter, or
// none, or the default of an engine. The top of the policy has no rule.
func (answers Answers) decide(rule string, filtered bool, standard string) Decision {
	d := Decision{Rule: rule, Mode: answers.Mode, Question: "absent", Word: answers.Absent, Hooks: answers.Hooks, Denials: answers.Denials}
	asks := "it asks for no seccomp filter"
	if filtered {
		d.Question, d.Word = "present", answers.Present
		asks = "it brings a seccomp filter"
	}
	answer := d.Word
	if standard != "" && answer == Keep {
		asks, d.Word = fmt.Sprintf("it asks for %s (it brings the default profile of %s)", RuntimeDefault, standard), RuntimeDefault
	}
	d.Reason = fmt.Sprintf("%s, and %s says %s: %s", asks, d.where(), d.Question, answer)
	switch d.Word {
	case Deny:
		d.Verdict, d.Always = Refuse, answers.Absent == Deny && answers.Present == Deny
		return d
	case Keep, Unconfined:
		d.Verdict = Leave
	default:
		d.Verdict, d.Profile = Replace, d.Word
	}
	if answers.Floor == None {
		return d
	}
	d.Floor = answers.Floor
	d.Reason += fmt.Sprintf(", with the floor %s", d.Floor)
	switch d.Word {
	case Keep:
		d.Verdict = Tighten
	case Unconfined:
		d.Verdict, d.Profile = Replace, d.Floor
	}
	return d
}

// Tightens reports whether the base must be intersected with the floor: not if the base is
// the floor.
func (d Decision) Tightens() bool { return d.Floor != "" && d.Floor != d.Profile }

// Remedy returns what the container's author can do about a refusal.
func (d Decision) Remedy() string {
	switch {
	case d.Question == forgedNames:
		return "take io.kubernetes.* out of the annotations and labels of the pod, and of its checkpoint; engines other than CRI-O call batten-runc by that name"
	case d.Always && d.Rule != "":
		return "the rule refuses all that it matches, with a filter or without: leave out what it matches, such as a mount, or have the node's policy changed"
	case d.Always:
		return "the policy refuses every container, with a filter or without: have it changed"
	}
	switch d.Question {
	case "hooks":
		return "leave the hooks out (engines take them from hooks.d, CDI and the container's own spec), or have the node's policy say hooks: Record for it"
	case "absent":
		return "ask for a filter (in Kubernetes: securityContext.seccompProfile.type RuntimeDefault or Localhost, and not privileged), or have the node's policy changed"
	}
	return "leave the filter out, or have the node's policy changed"
}
