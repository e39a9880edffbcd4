package enforce

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Container is one container on its way to the runtime.
type Container struct {
	ContainerdNamespace, ID string
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
	Call *Call
}

// owner is whose container it is: the directory of its record.
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
	Records  Records
	Machine  policy.Machine
	// Now is the clock.
	Now func() time.Time

	met meets
}

// Refusal is the error for a container that the policy, or a broken policy,
// profile or spec, does not let start.
type Refusal struct{ Reason string }

const refusalPrefix = "batten: container refused: "

func (r *Refusal) Error() string { return refusalPrefix + r.Reason }

func refuse(format string, args ...any) error {
	return &Refusal{Reason: fmt.Sprintf(format, args...)}
}

// Prepared is a container whose bundle is as the policy wants it.
type Prepared struct {
	Record *Record
	// Missing are calls that the profile denies and that the runtime may need
	// before the program starts: what to say if it does not.
	Missing []string
}

// Required reports whether the process must have a filter.
func (p *Prepared) Required() bool { return p.Record.Attestation.State != NotRequired }

// Prepare decides what happens to c and makes it so in the bundle. The record
// is written before the spec is: whatever is in the spec, a record tells of
// it. Errors are Refusals.
func (e *Enforcer) Prepare(c Container) (*Prepared, error) {
	s, err := spec.Load(c.Bundle)
	if err != nil {
		return nil, refuse("%v", err)
	}
	path := c.Policy
	if path == "" {
		path = policy.DefaultPath
	}
	p, findings := e.Policies.Get(path)
	if err := findings.Err(); err != nil {
		return nil, refuse("%v", err)
	}
	if c.Restore && !p.RestoreAllowed {
		return nil, refuse("policy %q: restore is %s: a checkpoint brings a seccomp filter of its own, which the policy cannot see; start the container anew, or write restore: Allow", p.Path, policy.Deny)
	}
	asked, err := e.asked(c, s)
	if err != nil {
		return nil, refuse("%v", err)
	}
	out, result, err := e.decide(c, s, p, asked)
	if err != nil {
		return nil, err
	}
	if err := e.Records.Write(out.Record); err != nil {
		return nil, refuse("its record cannot be written: %v", err)
	}
	if result != nil {
		if _, err := s.Rewrite(c.Bundle, result); err != nil {
			_ = e.Records.Remove(c.owner(), c.ID)
			return nil, refuse("%v", err)
		}
	}
	return out, nil
}

// Warm reads the usual policy, so that the first container finds it parsed.
func (e *Enforcer) Warm() { _, _ = e.Policies.Get(policy.DefaultPath) }

// asked is the filter that the container brings, nil where it brings none
// that filters, or only the one that an earlier pass over the bundle put there.
func (e *Enforcer) asked(c Container, s *spec.Spec) (*specs.LinuxSeccomp, error) {
	asked, err := profile.Decode(s.Seccomp)
	if err != nil {
		return nil, fmt.Errorf("spec %q: linux.seccomp: %w", c.Bundle, err)
	}
	if profile.FiltersNothing(asked) {
		return nil, nil
	}
	old, err := e.Records.Read(c.owner(), c.ID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case old.Bundle == c.Bundle && old.Asked == None && old.Result == Digest(s.Seccomp):
		return nil, nil
	}
	return asked, nil
}

// decide asks the policy. Result is the linux.seccomp to write, nil to leave
// what is there.
func (e *Enforcer) decide(c Container, s *spec.Spec, p *policy.Policy, asked *specs.LinuxSeccomp) (out *Prepared, result []byte, err error) {
	request := policy.Request{
		ContainerdNamespace: c.ContainerdNamespace,
		Runtime:             c.Runtime,
		Annotations:         s.Annotations,
		Bounding:            s.Bounding,
		Filtered:            asked != nil,
	}
	d := p.Decide(request)
	rec := &Record{
		Time: e.Now().UTC(), ContainerdNamespace: c.ContainerdNamespace, ID: c.ID, Bundle: c.Bundle, Call: c.Call,
		Identity: policy.Identify(request), Runtime: c.Binary,
		Policy: p.Path, PolicyDigest: p.Digest, Rule: d.Rule, Mode: d.Mode,
		Asked: None, Question: d.Question, Word: d.Word, Verdict: d.Verdict, Reason: d.Reason,
		Attestation: Attestation{State: Pending},
	}
	if asked != nil {
		rec.Asked = Digest(s.Seccomp)
	}
	rec.Result = rec.Asked
	final, result, err := e.outcome(p, d, s, asked, rec)
	if err == nil && final != nil {
		err = overridden(s.Annotations)
	}
	switch {
	case err != nil && d.Mode == policy.Audit:
		rec.Notes = append(rec.Notes, "would be refused: "+strings.TrimPrefix(err.Error(), refusalPrefix))
	case err != nil:
		return nil, nil, err
	}
	if c.Restore {
		rec.Notes = append(rec.Notes, "restored: the filter came out of the checkpoint")
	}
	if d.Mode == policy.Audit {
		// What would have been is in the verdict; what is, is as asked.
		rec.Result, final, result = rec.Asked, asked, nil
	}
	if final == nil {
		rec.Attestation.State = NotRequired
	}
	e.log(p, rec)
	missing := profile.Missing(final, s.NoNewPrivileges)
	if d.Mode == policy.Audit {
		rec.Attestation.State = NotRequired
		return &Prepared{rec, missing}, nil, nil
	}
	if d.Verdict == policy.Refuse {
		return nil, nil, refuse("%s (policy %q); %s", d.Reason, p.Path, d.Remedy())
	}
	if slices.Contains(missing, "execve") {
		return nil, nil, refuse("its seccomp profile cannot start any container: it denies %s, which the runtime needs after the filter is in place; add them, or ask for RuntimeDefault", strings.Join(missing, ", "))
	}
	return &Prepared{rec, missing}, result, nil
}

// Digest is data's SHA-256 as records write it.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
