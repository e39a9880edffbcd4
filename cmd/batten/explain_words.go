package main

import (
	"strings"

	"github.com/batten-runtime/batten/policy"
)

// verdict says in a sentence what the policy does with a container.
func verdict(o *policy.Outcome) string {
	switch {
	case o.Refusal != "":
		return "refuse it"
	case o.Verdict == policy.Leave:
		return "leave it as it is"
	case o.Verdict == policy.Tighten:
		return "run it under what it brings" + underFloor(o) + underMandatory(o)
	}
	return "run it under " + o.Profile + underFloor(o) + underMandatory(o)
}

// underFloor says what the floor does to the base.
func underFloor(o *policy.Outcome) string {
	switch {
	case !o.Tightens():
		return ""
	case o.Tightened():
		return ", tightened to " + o.Floor
	case o.Result == nil: // a filter that is not at hand
		return ", never looser than " + o.Floor
	}
	return ", which is as strict as " + o.Floor
}

// underMandatory says which mandatory floors hold besides.
func underMandatory(o *policy.Outcome) string {
	if o.Mandatory == "" || o.Profile == o.Mandatory {
		return ""
	}
	return ", and never looser than " + o.Mandatory
}

// enforced says what enforcement would change. A refusal has been said.
func enforced(o *policy.Outcome, m policy.Machine) string {
	if c := o.Change(m); !c.Refused {
		return c.Text
	}
	return "would be refused"
}

// audited says what mode Audit does with a container.
func audited(o *policy.Outcome) string {
	if o.MandatoryProfile != nil {
		return "recorded and logged, and nothing is changed but that it is never looser than " + o.Mandatory
	}
	if o.Observed != nil {
		return "recorded and logged, and everything that it calls is let through as without the policy"
	}
	return "only recorded and logged, nothing is changed"
}

// denialsSeen says how denials are seen, if the policy asks for that.
func denialsSeen(o *policy.Outcome) string {
	switch {
	case o.Unobserved != "":
		return "not seen: " + o.Unobserved
	case o.Observed == nil:
		return ""
	}
	out := "seen and counted"
	if o.Mode == policy.Audit {
		out = "each call that enforcement would deny is let through and counted"
	}
	var names, programs []string
	for _, u := range o.Observed.Unseen {
		switch {
		case u.Name != "":
			names = append(names, u.Name)
		case len(u.Arches) == 1:
			programs = append(programs, "programs of "+string(u.Arches[0]))
		default:
			programs = append(programs, "calls without a name")
		}
	}
	if names = append(names, programs...); len(names) == 0 {
		return out
	}
	return out + ", except " + strings.Join(names, ", ")
}
