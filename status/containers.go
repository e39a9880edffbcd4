package status

import (
	"cmp"
	"path/filepath"
	"slices"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/spec"
)

// Container is one that runs.
type Container struct {
	ID string `json:"id"`
	// ContainerdNamespace is empty for engines other than containerd.
	ContainerdNamespace string `json:"containerdNamespace,omitempty"`
	// Supervisor is what holds it: a shim, or conmon.
	Supervisor string `json:"supervisor"`
	// Pid is a process that the supervisor started for it, the one with the least
	// filter if there are several.
	Pid int `json:"pid"`
	// Seccomp is that process's mode in /proc: 0 none, 2 filter; Filters how many.
	Seccomp int `json:"seccomp"`
	Filters int `json:"filters"`
	// Record is Batten's, nil where Batten did not start it.
	Record *enforce.Record `json:"record,omitempty"`
	// Safe is unset where it runs below the policy, or where that cannot be told;
	// Verdict says why, in a sentence.
	Safe    bool   `json:"safe"`
	Verdict string `json:"verdict"`

	bundle string
}

// Containers are what runs, by id. Each process that a supervisor started counts:
// the first of a container, and what was started in it later. What these start
// has their filters.
func Containers(processes map[int]Process, records []*enforce.Record) []Container {
	byID, byPid := make(map[string]*enforce.Record), make(map[int]*enforce.Record)
	for _, r := range records {
		byID[r.ID] = r
		if r.Pid != 0 {
			byPid[r.Pid] = r
		}
	}
	found := make(map[string]*Container)
	for _, p := range processes {
		above, ok := processes[p.Parent]
		if !ok || !above.supervises() || p.passes(above) {
			continue
		}
		c := Container{ID: p.id(), Supervisor: above.Name, Pid: p.Pid, Seccomp: p.Seccomp, Filters: p.Filters}
		if rec := byPid[p.Pid]; rec != nil {
			c.ID = rec.ID
		}
		c.Record = byID[c.ID]
		c.ContainerdNamespace = above.option("-namespace", "--namespace")
		if bundles := filepath.Dir(above.Dir); c.ContainerdNamespace != "" && filepath.Base(bundles) == c.ContainerdNamespace {
			c.bundle = filepath.Join(bundles, c.ID)
		} else {
			c.bundle = above.option("-b", "--bundle")
		}
		key := c.ContainerdNamespace + "/" + c.ID
		if old := found[key]; old == nil || weaker(c, *old) {
			found[key] = &c
		}
	}
	out := make([]Container, 0, len(found))
	for _, c := range found {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Container) int {
		return cmp.Or(cmp.Compare(a.ContainerdNamespace, b.ContainerdNamespace), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// weaker reports whether a's process has less of a filter than b's, or as much
// and is the older.
func weaker(a, b Container) bool {
	return cmp.Or(cmp.Compare(a.Seccomp, b.Seccomp), cmp.Compare(a.Filters, b.Filters), cmp.Compare(a.Pid, b.Pid)) < 0
}

// Judge holds a container against its record or, where Batten did not start it,
// against what the policy would have made of it.
func (c *Container) Judge(p *policy.Policy) {
	rec := c.Record
	switch {
	case c.Seccomp < 0:
		c.Verdict = "the kernel does not tell: it is built without seccomp"
	case rec == nil:
		c.judgeStranger(p)
	case rec.Result == enforce.None || rec.Attestation.State == enforce.NotRequired:
		c.Safe, c.Verdict = true, "as its record says: "+rec.Reason
	case c.Seccomp == 0:
		c.Verdict = "runs unfiltered, and its record says otherwise: " + rec.Reason
	case rec.Attestation.Filters > 0 && c.Filters >= 0 && c.Filters < rec.Attestation.Filters:
		c.Verdict = "a process of it has fewer filters than its first one had"
	default:
		c.Safe, c.Verdict = true, "as its record says: "+rec.Reason
	}
}

// judgeStranger asks the policy about a container that went round Batten.
func (c *Container) judgeStranger(p *policy.Policy) {
	const round = "went round Batten; "
	if p == nil {
		c.Verdict = round + "there is no policy that can be read"
		return
	}
	r := policy.Request{ContainerdNamespace: c.ContainerdNamespace, Annotations: map[string]string{}, Filtered: c.Seccomp == 2}
	if s, err := spec.Load(c.bundle); err == nil {
		if s.Annotations != nil {
			r.Annotations = s.Annotations
		}
		r.Bounding = s.Bounding
		if asked, err := profile.Decode(s.Seccomp); err == nil {
			r.Filtered = !profile.FiltersNothing(asked)
		}
	}
	d := p.Decide(r)
	switch {
	case d.Mode == policy.Audit:
		c.Safe, c.Verdict = true, round+"the policy only audits: "+d.Reason
	case r.Filtered && c.Seccomp == 0:
		c.Verdict = round + "and runs without the filter that its bundle asks for"
	case d.Verdict == policy.Leave:
		c.Safe, c.Verdict = true, round+"the policy would have left it as it is: "+d.Reason
	case d.Verdict == policy.Refuse:
		c.Verdict = round + "the policy would have refused it: " + d.Reason
	case c.Seccomp == 0:
		c.Verdict = round + "runs unfiltered, and the policy would not have it: " + d.Reason
	default:
		c.Verdict = round + "the policy would have changed its filter: " + d.Reason
	}
}
