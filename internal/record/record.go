package record

import (
	"strings"
	"time"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/observe"
)

// None stands for the digest of linux.seccomp where there is none.
const None = "none"

// Record is what was decided for one container, kept while it exists.
type Record struct {
	Time                time.Time `json:"time"`
	ContainerdNamespace string    `json:"containerdNamespace"`
	// Engine is cri-o where batten-runc is configured for CRI-O; empty for all others.
	Engine string `json:"engine,omitempty"`
	ID     string `json:"id"`
	Bundle string `json:"bundle"`
	// Call is set where batten-runc made it.
	Call *Call `json:"call,omitempty"`
	policy.Identity
	// Called is what an engine calls it whose names rules do not match, such as Docker or
	// Podman: it is for people to read.
	Called Called `json:"called,omitzero"`
	// Runtime is what runs Batten, as rules call it: io.containerd.batten.v2 or
	// batten-runc. OCIRuntime is the OCI runtime's binary behind it, as it was named.
	Runtime    string `json:"runtime"`
	OCIRuntime string `json:"ociRuntime"`
	// Policy and PolicyDigest are the file and the SHA-256 of its bytes; Rule
	// the name of the rule that decided, empty for the top level.
	Policy       string      `json:"policy"`
	PolicyDigest string      `json:"policyDigest"`
	Rule         string      `json:"rule,omitempty"`
	Mode         policy.Mode `json:"mode"`
	// Asked is the SHA-256 of the linux.seccomp that the container brought, or
	// None; Result that of what it was started under, sealed (profile.Seal). Kept is
	// set where that is the filter which the container brought.
	Asked  string `json:"asked"`
	Result string `json:"result"`
	Kept   bool   `json:"kept,omitempty"`
	// Default names the engine whose default profile the container brought, which is to ask for
	// RuntimeDefault; empty for another filter or none.
	Default string `json:"default,omitempty"`
	// Tightened is set where the floor made the profile stricter; in mode Audit it says
	// that enforcement would.
	Tightened bool `json:"tightened,omitempty"`
	// WouldChange is what enforcement would change; nil where Mode is Enforce.
	WouldChange *policy.Change `json:"wouldChange,omitempty"`
	// Denials says how the calls are seen that the filter denies, or in mode Audit would
	// deny; nil where the policy does not ask for that, or nothing would be denied.
	Denials *Denials `json:"denials,omitempty"`
	// Base is what was decided to run under before the floor: a word or a
	// profile's name of the policy, or Keep for what the container brought;
	// Floor the policy's word or name for the floor, empty for none. Their
	// digests are of the linux.seccomp that they were for this container.
	Base        string `json:"base,omitempty"`
	BaseDigest  string `json:"baseDigest,omitempty"`
	Floor       string `json:"floor,omitempty"`
	FloorDigest string `json:"floorDigest,omitempty"`
	// Mandatory names the mandatory floors, and MandatoryDigest is of the linux.seccomp that
	// they made together for this container; empty for none. DropIns are the drop-ins that were
	// read with the policy.
	Mandatory       string          `json:"mandatory,omitempty"`
	MandatoryDigest string          `json:"mandatoryDigest,omitempty"`
	DropIns         []policy.DropIn `json:"dropIns,omitempty"`
	// Question, Word and Verdict are the decision; Reason is a sentence.
	Question string         `json:"question"`
	Word     string         `json:"word"`
	Verdict  policy.Verdict `json:"verdict"`
	Reason   string         `json:"reason"`
	// Hooks are those that the container brings, where the policy says so.
	Hooks []policy.Hook `json:"hooks,omitempty"`
	// Restored is set where the process came out of a checkpoint, and its filter too.
	Restored bool `json:"restored,omitempty"`
	// Closed are the blocks that were put on its processes while it ran. Store.Close writes them.
	Closed []Closed `json:"closed,omitempty"`
	// Notes say what else to know: ABIs left out, what a floor gave up, a restore.
	Notes []string `json:"notes,omitempty"`
	// Written is the linux.seccomp of Result, nil where the record was read from its file.
	Written []byte `json:"-"`
	// Pid is the container's first process, StartTime when it began in clock
	// ticks since boot (proc_pid_stat(5)); 0 until the runtime has made it.
	// PidNamespace is where Pid is its number.
	Pid          int         `json:"pid"`
	StartTime    uint64      `json:"startTime"`
	PidNamespace string      `json:"pidNamespace,omitempty"`
	Attestation  Attestation `json:"attestation"`
}

// Answer is what Batten's listener does with the calls that it is notified of.
type Answer string

const (
	// Denied: each call fails with the errno that the profile says.
	Denied Answer = "Denied"
	// LetThrough: each call runs, because the policy only audits.
	LetThrough Answer = "LetThrough"
)

// Denials is how a container's denials are seen.
type Denials struct {
	// Answer is what becomes of a call that is seen. It is empty if none is seen.
	Answer Answer `json:"answer,omitempty"`
	// Profile is the SHA-256 of the profile whose denials they are.
	Profile string `json:"profile,omitempty"`
	// Unseen is what that profile denies and nobody sees.
	Unseen []observe.Unseen `json:"unseen,omitempty"`
	// Not says why none is seen.
	Not string `json:"not,omitempty"`
}

// Seen reports whether the container's denials are seen.
func (d *Denials) Seen() bool { return d != nil && d.Answer != "" }

// Call is a call of an OCI runtime by its command line.
type Call struct {
	// Owner names the directory of the record: each --root has one.
	Owner string `json:"owner"`
	// Globals are the flags before the subcommand, with which the runtime
	// knows the container.
	Globals []string `json:"globals,omitempty"`
	// PidFile is where the runtime writes the first process's number; empty
	// where nobody asked for that.
	PidFile string `json:"pidFile,omitempty"`
}

// Owner returns the directory of the record: the containerd namespace, or for batten-runc a
// name for the runtime's --root.
func (r *Record) Owner() string {
	if r.Call != nil {
		return r.Call.Owner
	}
	return r.ContainerdNamespace
}

// Bounds of what a record says of hooks, which the container's author may write.
const (
	maxHooks    = 64
	maxHookArgs = 32
	maxHookText = 512
)

// Recorded returns hooks as a record holds them, cut where they are long.
func Recorded(hooks []policy.Hook) []policy.Hook {
	cut := func(s string) string {
		if len(s) > maxHookText {
			return strings.ToValidUTF8(s[:maxHookText], "") + "…"
		}
		return s
	}
	var out []policy.Hook
	for _, h := range hooks[:min(len(hooks), maxHooks)] {
		short := policy.Hook{Kind: h.Kind, Path: cut(h.Path)}
		for _, arg := range h.Args[:min(len(h.Args), maxHookArgs)] {
			short.Args = append(short.Args, cut(arg))
		}
		out = append(out, short)
	}
	return out
}
