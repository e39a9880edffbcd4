package policy

import "github.com/batten-runtime/batten/policy/semantics"

// Change says what enforcement would change for a container that mode Audit lets run
// unchanged.
type Change struct {
	// Text says it in a few words: "would deny 44 calls: mount, bpf, unshare, …".
	Text string `json:"text"`
	// Refused is set where the container would not start.
	Refused bool `json:"refused,omitempty"`
	// Unknown is set if Batten cannot say what it would change; Text says why.
	Unknown bool `json:"unknown,omitempty"`
	semantics.Changes
}

// Change returns what enforcing o changes for the container, on machine m.
func (o *Outcome) Change(m Machine) Change {
	switch {
	case o.Refusal != "":
		return Change{Text: "would be refused: " + o.Refusal, Refused: true}
	case o.Verdict == Leave || o.Result != nil && same(o.Result, o.Audited):
		return Change{Text: "would change nothing"}
	case o.Question == "present" && o.Brought == nil || o.Result == nil:
		return Change{Text: "would change, and how is unknown: the filter that it brings is not at hand", Unknown: true}
	}
	changes, err := semantics.Between(o.Audited, o.Result, m.ABIs.Runs)
	if err != nil {
		return Change{Text: "would change, and how is unknown: " + err.Error(), Unknown: true}
	}
	return Change{Text: "would " + changes.String(), Changes: changes}
}

// Tightened reports whether the floor makes the base stricter: whether the base is looser
// than the floor on some call.
func (o *Outcome) Tightened() bool {
	return o.Tightens() && o.Result != nil && o.BaseProfile != nil && o.Result != o.BaseProfile
}
