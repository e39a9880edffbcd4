package enforce

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/batten-runtime/batten/internal/called"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Container is one container on its way to the runtime.
type Container struct {
	ContainerdNamespace, ID string
	// Engine is names.CRIO where batten-runc is configured for CRI-O.
	Engine string
	// Bundle is the directory of config.json.
	Bundle string
	// Runtime is what runs Batten, for rules: io.containerd.batten.v2 or
	// batten-runc. Binary is the OCI runtime behind it.
	Runtime, Binary string
	// Policy is the policy's file; empty means policy.DefaultPath.
	Policy string
	// Restore is set where the process comes out of a checkpoint.
	Restore bool
	// Call is set where a runtime's command line makes the container.
	Call *record.Call
}

// owner returns whose container it is: the directory of its record.
func (c *Container) owner() string {
	if c.Call != nil {
		return c.Call.Owner
	}
	return c.ContainerdNamespace
}

// Policies gives the policy at a path as it is now; policy.Store is one.
type Policies interface {
	Get(path string) (*policy.Policy, document.Findings)
}

// Enforcer holds containers to the policies of a node.
type Enforcer struct {
	Policies Policies
	Records  record.Store
	Machine  policy.Machine
	// Runtime returns which names of system calls a runtime knows, by the runtime's name
	// or path. If it is nil, every name counts as known.
	Runtime func(binary string) syscalls.Runtime
	// Listen makes the listener of a container whose denials are to be seen. If it is nil,
	// this process cannot listen.
	Listen ListenFunc
	// Now is the clock.
	Now func() time.Time
}

// Refusal is the error for a container that must not start: the policy says so, or the
// policy, a profile or the spec is broken.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return "batten: container refused: " + r.Reason }

func refuse(format string, args ...any) error {
	return &Refusal{Reason: fmt.Sprintf(format, args...)}
}

// Prepared is a container whose bundle is as the policy wants it.
type Prepared struct {
	Record *record.Record
	// Missing are calls that the profile denies and that the runtime may need before the
	// program starts: an error of the runtime may be caused by them.
	Missing []string

	// AppendLine appends a line to the policy's log; it is nil if the policy has none.
	AppendLine func(line any) error

	listener Listener // nil where denials are not seen
	sealed   []byte   // the linux.seccomp to write; nil if nothing is to be written
}

// Abandon ends what was begun for a container that the runtime has not made, and removes
// its record.
func (e *Enforcer) Abandon(p *Prepared) error {
	p.close()
	return e.Forget(p.Record.Owner(), p.Record.ID)
}

func (p *Prepared) close() {
	if p.listener != nil {
		_ = p.listener.Close()
	}
}

// Required reports whether the process must have a filter.
func (p *Prepared) Required() bool { return p.Record.Attestation.State != record.NotRequired }

// Prepare decides what c runs under and writes it into the bundle. It writes the record before
// the spec, so that there is a record of whatever is in the spec. Errors are Refusals.
func (e *Enforcer) Prepare(c Container) (*Prepared, error) {
	a, err := e.read(c)
	if err != nil {
		return nil, refuse("%v", err)
	}
	o := a.policy.Resolve(a.request, a.brought, e.machine(c.Binary))
	if o.Refused() {
		return nil, refuse("%s", o.Refusal)
	}
	out := e.prepared(a, &o)
	if o.Observed != nil {
		if out.listener, err = e.Listen(listening(a.policy, out.Record, o.Observed)); err != nil {
			o.Observed, o.Unobserved = nil, fmt.Sprintf("nobody can listen: %v", err)
			out = e.prepared(a, &o)
		}
	}
	if err := e.write(a, out); err != nil {
		if out.listener != nil { // its last counts go with the record
			_ = e.Abandon(out)
		}
		return nil, err
	}
	e.log(a.policy, out.Record)
	return out, nil
}

// asking is a container with what it asks the policy.
type asking struct {
	Container
	spec    *spec.Spec
	policy  *policy.Policy
	request policy.Request
	// brought is the filter that it brings, asked the digest of its linux.seccomp.
	brought *specs.LinuxSeccomp
	asked   string
}

// read reads spec and policy.
func (e *Enforcer) read(c Container) (*asking, error) {
	s, err := spec.Load(c.Bundle)
	if err != nil {
		return nil, err
	}
	p, findings := e.Policies.Get(cmp.Or(c.Policy, policy.DefaultPath))
	if err := findings.Err(); err != nil {
		return nil, err
	}
	a := &asking{Container: c, spec: s, policy: p}
	a.request = Request(p, Source{ContainerdNamespace: c.ContainerdNamespace, Engine: c.Engine, Runtime: c.Runtime, Bundle: c.Bundle}, s)
	if err := e.readBrought(a); err != nil {
		return nil, err
	}
	a.request.Restore = c.Restore
	if e.Listen != nil {
		a.request.Listener, _ = e.Records.Socket(c.owner(), c.ID) // without one nobody listens
	}
	return a, nil
}

// prepared makes the record of a container with outcome o, and its linux.seccomp.
func (e *Enforcer) prepared(a *asking, o *policy.Outcome) *Prepared {
	sealed, digest := seal(a.spec, o)
	out := &Prepared{Record: e.record(a.Container, a.asked, a.policy, o, digest), Missing: o.Missing, sealed: sealed}
	rec := out.Record
	if a.policy.Log != "" {
		out.AppendLine = func(line any) error { return appendLine(a.policy.Log, line) }
	}
	if o.Mode == policy.Audit {
		change := o.Change(e.Machine)
		rec.WouldChange = &change
	}
	if a.ContainerdNamespace != names.CRINamespace && a.Engine != names.CRIO { // where a pod's author names paths
		rec.Called = called.Of(a.Bundle, a.ID, a.spec)
	}
	if o.Hooks != policy.Keep {
		rec.Hooks = record.Recorded(a.request.Hooks)
	}
	if o.Installed() != nil {
		rec.Result, rec.Written = Digest(sealed), sealed
	}
	return out
}

// write writes the record, and linux.seccomp into the bundle.
func (e *Enforcer) write(a *asking, p *Prepared) error {
	if err := e.Records.Write(p.Record); err != nil {
		return refuse("its record cannot be written: %v", err)
	}
	if p.sealed == nil {
		return nil
	}
	if _, err := a.spec.Rewrite(a.Bundle, p.sealed); err != nil {
		_ = e.Records.Remove(a.owner(), a.ID)
		return refuse("%v", err)
	}
	return nil
}

// machine returns the machine as it is for containers of one runtime.
func (e *Enforcer) machine(binary string) policy.Machine {
	m := e.Machine
	if e.Runtime != nil {
		m.Runtime = e.Runtime(binary)
	}
	return m
}

// seal returns the linux.seccomp to write, nil if nothing is to be written, and the digest
// of the profile without its seal. The runtime gets no other profile than a sealed one, in
// mode Audit too, and null for one that filters nothing: so that nobody can choose what a
// runtime's cache of filters holds for other containers.
func seal(s *spec.Spec, o *policy.Outcome) (sealed []byte, digest string) {
	switch runs := o.Installed(); {
	case runs != nil:
		sealed, sum := profile.EncodeSealed(*runs)
		return sealed, "sha256:" + hex.EncodeToString(sum[:])
	case s.Seccomp != nil:
		return []byte("null"), ""
	}
	return nil, ""
}

// Warm reads the default policy, so that it is parsed when the first container comes.
func (e *Enforcer) Warm() { _, _ = e.Policies.Get(policy.DefaultPath) }
