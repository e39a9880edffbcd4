package policy

import "fmt"

// Request is one container as the policy sees it.
type Request struct {
	// ContainerdNamespace comes from the daemon.
	ContainerdNamespace string
	// Runtime is what runs Batten: io.containerd.batten.v2 or batten-runc.
	Runtime string
	// Annotations are the spec's.
	Annotations map[string]string
	// Bounding is the container's bounding set.
	Bounding []string
	// Filtered is set where the container brings a filter that filters.
	Filtered bool
}

// Verdict is what happens to a container.
type Verdict string

const (
	// Leave starts it as it is.
	Leave Verdict = "Leave"
	// Tighten starts it under the profile that it brings, made no looser than
	// the floor.
	Tighten Verdict = "Tighten"
	// Replace starts it under a profile of the policy's, no looser than the
	// floor either.
	Replace Verdict = "Replace"
	// Refuse does not start it.
	Refuse Verdict = "Refuse"
)

// Decision is what a policy says of one request.
type Decision struct {
	// Rule is the name of the rule that decided; empty for the top level.
	Rule string
	Mode Mode
	// Question is absent or present, Word the policy's answer to it.
	Question, Word string
	Verdict        Verdict
	// Profile is the base to run under where Verdict is Replace: a word or
	// the name of a profile.
	Profile string
	// Floor is what the outcome is never looser than: a word or the name of a
	// profile; empty for none.
	Floor string
	// Reason says all this in a sentence.
	Reason string
}

// Decide says what happens to the container of r: the first rule that matches
// answers, or else the top of the policy.
func (p *Policy) Decide(r Request) Decision {
	answers, rule := p.Answers, ""
	who := Identify(r)
	for i := range p.Rules {
		if p.Rules[i].Match.matches(&r, &who) {
			answers, rule = p.Rules[i].Answers, p.Rules[i].Name
			break
		}
	}
	d := Decision{Rule: rule, Mode: answers.Mode, Question: "absent", Word: answers.Absent}
	asks := "it asks for no seccomp filter"
	if r.Filtered {
		d.Question, d.Word = "present", answers.Present
		asks = "it brings a seccomp filter"
	}
	where := "the policy's top level"
	if rule != "" {
		where = fmt.Sprintf("rule %q", rule)
	}
	d.Reason = fmt.Sprintf("%s, and %s says %s: %s", asks, where, d.Question, d.Word)
	switch d.Word {
	case Deny:
		d.Verdict = Refuse
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

// Tightens reports whether what Seccomp gives, or the container brings, is still
// to be put under the floor.
func (d Decision) Tightens() bool { return d.Floor != "" && d.Floor != d.Profile }

// Remedy says what the container's author can do about a refusal.
func (d Decision) Remedy() string {
	if d.Question == "absent" {
		return "ask for a filter (in Kubernetes: securityContext.seccompProfile.type RuntimeDefault or Localhost, and not privileged), or have the node's policy changed"
	}
	return "leave the filter out, or have the node's policy changed"
}
