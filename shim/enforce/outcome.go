package enforce

import (
	"sync"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// outcome is the linux.seccomp that a decision makes of what was asked for, and
// its JSON, nil where what is there stays. It fills in the record.
func (e *Enforcer) outcome(p *policy.Policy, d policy.Decision, s *spec.Spec, asked *specs.LinuxSeccomp, rec *Record) (*specs.LinuxSeccomp, []byte, error) {
	rec.Base, rec.BaseDigest = d.Word, rec.Asked
	switch d.Verdict {
	case policy.Tighten:
		return e.floored(p, d, s, *asked, s.Seccomp, rec)
	case policy.Replace:
		base, notes, err := p.Seccomp(d, s.Bounding, e.Machine)
		if err != nil {
			return nil, nil, refuse("%v", err)
		}
		rec.Notes = notes
		data := profile.Encode(base)
		rec.BaseDigest = Digest(data)
		if !d.Tightens() {
			rec.Result = rec.BaseDigest
			if d.Floor != "" {
				rec.Floor, rec.FloorDigest, rec.BaseDigest = d.Floor, rec.BaseDigest, ""
			}
			return &base, data, nil
		}
		final, result, err := e.floored(p, d, s, base, data, rec)
		if err == nil && result == nil {
			result = data
		}
		return final, result, err
	}
	return asked, nil, nil
}

// floored is base under the decision's floor; its JSON is nil if it is base as
// it was.
func (e *Enforcer) floored(p *policy.Policy, d policy.Decision, s *spec.Spec, base specs.LinuxSeccomp, data []byte, rec *Record) (*specs.LinuxSeccomp, []byte, error) {
	floor, err := p.FloorSeccomp(d, s.Bounding, e.Machine)
	if err != nil {
		return nil, nil, refuse("%v", err)
	}
	rec.Floor, rec.FloorDigest = d.Floor, Digest(profile.Encode(floor))
	m := e.met.of(rec.FloorDigest, Digest(data), floor, base)
	if m.err != nil {
		return nil, nil, refuse("policy %q: floor %q cannot be put under its profile: %v", p.Path, d.Floor, m.err)
	}
	rec.Notes = append(rec.Notes, m.notes...)
	if rec.Result = Digest(m.data); m.data == nil {
		rec.Result = Digest(data)
	}
	return &m.seccomp, m.data, nil
}

// met is what Floor made of two profiles.
type met struct {
	seccomp specs.LinuxSeccomp
	data    []byte // nil if the container's own is as strict as it stands
	notes   []string
	err     error
}

// meets keeps what Floor made, by the digests of the two profiles: the
// containers of a pod mostly ask for the same. It may be used from several
// goroutines.
type meets struct {
	mu    sync.Mutex
	known map[[2]string]met
}

// maxMeets bounds what a shim keeps; a pod with more profiles is computed anew.
const maxMeets = 16

func (c *meets) of(floorDigest, digest string, floor, base specs.LinuxSeccomp) met {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := [2]string{floorDigest, digest}
	if m, ok := c.known[key]; ok {
		return m
	}
	out, notes, err := profile.Floor(floor, base, profile.Limits{})
	m := met{seccomp: out.Seccomp, notes: notes, err: err}
	if !out.Unchanged && err == nil {
		m.data = profile.Encode(out.Seccomp)
	}
	if c.known == nil || len(c.known) >= maxMeets {
		c.known = make(map[[2]string]met)
	}
	c.known[key] = m
	return m
}
