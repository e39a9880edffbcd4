package status

import (
	"errors"
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Kind is what a verdict comes to.
type Kind string

const (
	// Proved: what the kernel holds is as strict as what is demanded, on every call.
	Proved Kind = "Proved"
	// Allowed: today's policy demands nothing.
	Allowed Kind = "Allowed"
	// Unfiltered: a process runs with no filter, where a filter is demanded.
	Unfiltered Kind = "Unfiltered"
	// Looser: there is a call that is let through and should not be.
	Looser Kind = "Looser"
	// Refused: today's policy would not start it.
	Refused Kind = "Refused"
	// Unproved: whether it is as strict as demanded is unknown.
	Unproved Kind = "Unproved"
)

// Verdict says of one container whether it runs as today's policy demands.
type Verdict struct {
	Kind Kind `json:"kind"`
	// Safe is set for Proved and Allowed.
	Safe bool `json:"safe"`
	// Text is a sentence.
	Text string `json:"verdict"`
	// LeftOut names mandatory floors whose drop-in leaves the container out today; empty for
	// none.
	LeftOut string `json:"leftOut,omitempty"`
}

// Judge says what there is to say of a container. Nothing else does, so that batten
// status and batten verify have one answer.
type Judge struct {
	// Policy returns the policy at a path, "" for the node's, as it is today.
	Policy func(path string) (*policy.Policy, error)
	// Machine returns what profiles are resolved against: this machine, with the OCI
	// runtime at a path, "" where that is unknown.
	Machine func(runtime string) policy.Machine
	// Live reads the filters that the kernel holds for a process; filter.Live does.
	Live func(pid int) (filter.Stack, error)
	// Added reports whether a filter is one that Batten puts on processes while they run; nil
	// for none.
	Added func(*filter.Program) bool

	proofs proofs
}

// demand is a profile than which a container must be nowhere looser.
type demand struct {
	by      string // "its record"
	profile *specs.LinuxSeccomp
	// given is set where it is what the runtime was given, not what the policy wants.
	given bool
}

// Judge says whether c runs as the policy, as it is today, demands. In mode Audit
// that is what the policy would enforce.
func (j *Judge) Judge(c *Container) Verdict {
	before := ""
	if c.Record == nil {
		before = "bypasses Batten; "
	}
	kind, text, o := j.judge(c)
	v := Verdict{Kind: kind, Safe: kind == Proved || kind == Allowed, Text: before + text, LeftOut: o.LeftOut}
	if !v.Safe && o.Mode == policy.Audit {
		v.Text += "; the policy only audits; enforced, it " + o.Change(c.machine(j)).Text
	}
	return v
}

func (j *Judge) judge(c *Container) (Kind, string, policy.Outcome) {
	if c.Seccomp < 0 {
		return Unproved, "cannot be proved: the kernel does not say whether it is filtered", policy.Outcome{}
	}
	demands, o, err := j.demands(c)
	switch {
	case err != nil && c.Seccomp == 0:
		return Unfiltered, fmt.Sprintf("%s; whether it may is unknown: %s", c.unfiltered(), firstLine(err)), o
	case err != nil:
		return Unproved, "cannot be proved: " + firstLine(err), o
	case c.Seccomp == 0 && len(demands) == 0 && o.Refusal == "":
		return Allowed, c.unfiltered() + ", as today's policy has it: " + o.Reason, o
	case c.Seccomp == 0 && c.Record != nil && c.Record.Result != record.None:
		return Unfiltered, c.unfiltered() + ", and its record says otherwise: " + c.Record.Reason, o
	case c.Seccomp == 0 && o.Refusal != "":
		return Unfiltered, c.unfiltered() + ", and today's policy would refuse it: " + refusal(o), o
	case c.Seccomp == 0:
		return Unfiltered, c.unfiltered() + ", and today's policy would not have it: " + o.Reason, o
	case o.Refusal != "":
		return Refused, "today's policy would refuse it: " + refusal(o), o
	case len(demands) == 0:
		return Allowed, "today's policy leaves it as it is: " + o.Reason, o
	}
	kind, text := j.prove(c, demands)
	return kind, text, o
}

// unfiltered says which process of the container has no filter.
func (c *Container) unfiltered() string {
	if c.filtered {
		return fmt.Sprintf("process %d of it runs with no filter", c.Pid)
	}
	return "runs with no filter"
}

func refusal(o policy.Outcome) string {
	if o.Verdict == policy.Refuse {
		return o.Reason
	}
	return o.Refusal
}

// firstLine is an error without those that come after it.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// demands returns what the container must be as strict as, by its record, or by its
// bundle where it has none, and by today's policy, whose outcome it returns, too.
func (j *Judge) demands(c *Container) (out []demand, o policy.Outcome, err error) {
	path := ""
	if c.Record != nil && c.Record.Policy != policy.BuiltinPath {
		path = c.Record.Policy
	}
	p, err := j.Policy(path)
	if err != nil {
		return nil, o, fmt.Errorf("today's policy cannot be read: %w", err)
	}
	r, brought, out, err := c.request(p)
	if err != nil {
		return nil, o, err
	}
	m := c.machine(j)
	if brought != nil { // it runs under that: an ABI that this kernel cannot run makes it no looser
		m.ABIs = profile.ABIs{}
	}
	o = p.Resolve(r, brought, m)
	if o.Refusal != "" {
		return out, o, nil
	}
	if o.Verdict == policy.Replace && o.BaseProfile != nil {
		out = append(out, demand{by: "today's policy", profile: o.BaseProfile})
	}
	if o.MandatoryProfile != nil {
		out = append(out, demand{by: "the node's mandatory floors", profile: o.MandatoryProfile})
	}
	if o.FloorProfile != nil {
		out = append(out, demand{by: "today's policy", profile: o.FloorProfile})
	}
	return out, o, nil
}

// request returns what the container asks the policy, the filter that it brings, nil
// if that is not at hand, and what its record or its bundle demands.
func (c *Container) request(p *policy.Policy) (r policy.Request, brought *specs.LinuxSeccomp, out []demand, err error) {
	runtime := names.RuntimeType
	if c.Supervisor == "conmon" || c.Record != nil && c.Record.Call != nil {
		runtime = names.Wrapper
	}
	if c.Record == nil && c.bundle == "" {
		// What it asked for is unknown: a filter may be its own program's.
		return policy.Request{ContainerdNamespace: c.ContainerdNamespace, Runtime: runtime}, nil, nil, nil
	}
	s, err := spec.Load(c.bundle)
	if err != nil {
		return r, nil, nil, err
	}
	r = enforce.Request(p, enforce.Source{ContainerdNamespace: c.ContainerdNamespace, Engine: c.engine(), Runtime: runtime, Bundle: c.bundle}, s)
	own, err := enforce.Brought(s)
	if err != nil {
		return r, nil, nil, fmt.Errorf("spec %q: %w", c.bundle, err)
	}
	rec := c.Record
	switch {
	case rec == nil:
		if own != nil {
			out = append(out, demand{by: "its bundle", profile: own, given: true})
		}
		return r, own, out, nil
	case rec.Result == record.None:
	case enforce.Digest(s.Seccomp) != rec.Result:
		return r, nil, nil, fmt.Errorf("%s/%s no longer holds the profile that the record tells of", c.bundle, spec.FileName)
	default:
		recorded, err := profile.Decode(s.Seccomp)
		if err != nil {
			return r, nil, nil, err
		}
		out = append(out, demand{by: "its record", profile: recorded, given: true})
	}
	r.Filtered, r.Default = rec.Asked != record.None, rec.Default
	if rec.Kept || rec.Asked == enforce.Digest(s.Seccomp) {
		brought = own
	}
	return r, brought, out, nil
}

// engine returns the engine that the container's record names; empty without a record. What
// bypasses Batten says of itself what it likes, so that no rule for pods counts for it.
func (c *Container) engine() string {
	if c.Record == nil {
		return ""
	}
	return c.Record.Engine
}

// machine returns this machine with the container's runtime.
func (c *Container) machine(j *Judge) policy.Machine {
	if c.Record == nil {
		return j.Machine("")
	}
	return j.Machine(c.Record.OCIRuntime)
}

// errNotThisMachine is Live's for a /proc that is not this machine's.
var errNotThisMachine = errors.New("filters can be read on the machine alone, from its own /proc")

// NotLive refuses to read a filter: where /proc is another machine's.
func NotLive(int) (filter.Stack, error) { return nil, errNotThisMachine }
