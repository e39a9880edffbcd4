package policy

import (
	"maps"
	"slices"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy/profile"
)

// DefaultPath is where the node policy is looked for.
const DefaultPath = names.Config + "/policy.yaml"

// BuiltinPath stands for the path of the embedded default policy, which applies on a node
// without a policy file.
const BuiltinPath = "built-in"

// Builtin is the text of the embedded default policy.
const Builtin = `version: 1
absent: RuntimeDefault   # a container that asks for no filter gets the runtime's default
present: Keep            # one that brings a filter keeps it
`

// Reserved words of absent and present. Profiles have lower-case names, so that a name
// cannot collide with a word.
const (
	RuntimeDefault = "RuntimeDefault"
	Unconfined     = "Unconfined"
	Keep           = "Keep"
	Deny           = "Deny"
	// None is floor's word for no floor.
	None = "None"
)

// builtinProfile is the word of runtimeDefault for containerd's own profile.
const builtinProfile = "builtin"

// Mode says whether a decision is carried out.
type Mode string

const (
	// Enforce carries it out.
	Enforce Mode = "Enforce"
	// Audit records and logs it, and denies nothing.
	Audit Mode = "Audit"
)

// Denials says whether Batten sees the calls that a filter denies, or in mode Audit would
// deny. Empty means Silent in mode Enforce, and Count in mode Audit.
type Denials string

const (
	// Silent leaves denials to the kernel, which tells nobody.
	Silent Denials = "Silent"
	// Count has a listener see and count them. It answers with the profile's errno, and in
	// mode Audit lets the call run.
	Count Denials = "Count"
)

// Kinds of containers.
const (
	Sandbox   = "Sandbox"
	Container = "Container"
)

// Policy is a node policy, complete and checked. It does not change.
type Policy struct {
	// Path is the file it was read from, or BuiltinPath.
	Path string
	// Digest is the SHA-256 of the file's bytes in hexadecimal.
	Digest string
	// Log is a file to which every decision is appended as a line of JSON;
	// empty for none.
	Log string
	// Architectures says which ABIs stay in profiles that Batten supplies.
	Architectures profile.Architectures
	// RestoreAllowed is set where containers may be restored from a checkpoint,
	// which brings a filter of its own.
	RestoreAllowed bool
	// Answers apply if no rule matches.
	Answers
	// Rules are asked in order; the first that matches decides.
	Rules []Rule
	// Mandatory are the floors of mandatoryFloors, first those of the policy, then those of the
	// drop-ins in the order of their names.
	Mandatory []Mandatory
	// DropIns are the drop-ins that were read with the policy.
	DropIns []DropIn

	runtimeDefault string // builtinProfile or a key of profiles
	profiles       map[string]*source
	dropped        []*source // of the drop-ins
	floors         intersections
}

// Answers are the answers of a policy or of a rule.
type Answers struct {
	// Absent is for a container that brings no filter: RuntimeDefault,
	// Unconfined, Deny or the name of a profile.
	Absent string
	// Present is for a container that brings a filter: Keep, RuntimeDefault, Deny or
	// the name of a profile that replaces the filter.
	Present string
	// Floor is the profile that the result is never looser than: RuntimeDefault, the
	// name of a profile, or None. Several, as in "RuntimeDefault, node-baseline", hold together.
	Floor string
	// Hooks is for a container that brings hooks: Keep, Record or Deny.
	Hooks string
	Mode  Mode
	// Denials is for what the filter denies.
	Denials Denials
}

// Rule is one entry of rules, with what it leaves out taken from the top.
type Rule struct {
	Name  string
	Match Match
	Answers
}

// ProfileNames returns the names that the policy gives to profiles, sorted.
func (p *Policy) ProfileNames() []string { return slices.Sorted(maps.Keys(p.profiles)) }
