package suggest

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/denials/overview"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Workload is one container, or several that differ in nothing but their pods' names, and what
// to suggest for it.
type Workload struct {
	// Containers are the ids, as tables have them.
	Containers []string `json:"containers"`
	// Name is what the suggested profile and its rule are called.
	Name string `json:"name"`
	// PodNamespace, PodName and Container are globs, empty where CRI did not make the
	// container: then no rule can name it.
	PodNamespace string `json:"podNamespace,omitempty"`
	PodName      string `json:"podName,omitempty"`
	Container    string `json:"container,omitempty"`
	// Base is the policy's word for the profile whose denials they are.
	Base string `json:"base,omitempty"`
	// Remarks say what is not observed, and what cannot be suggested.
	Remarks []string `json:"remarks"`
	*Answer

	title    string
	engine   string // the containerd namespace
	under    *overview.Under
	denials  []denials.Denial
	identity string
	audited  bool // all its calls ran
}

// Asked is what to suggest for.
type Asked struct {
	Containers []overview.Container
	Since      time.Time
	Dangerous  bool
	// Under returns the profile whose denials those of a record are.
	Under func(*record.Record) (*overview.Under, error)
	// Name is what the profile is to be called; empty for a name after the container.
	Name string
}

// mixed is said of containers of which some are audited.
const mixed = "some of these containers are only audited: their calls ran"

// Workloads returns what to suggest for containers, those with one profile and one rule
// together.
func Workloads(a Asked) ([]*Workload, error) {
	var out []*Workload
	for _, c := range a.Containers {
		w := a.workload(c)
		same := slices.IndexFunc(out, func(o *Workload) bool { return o.identity == w.identity && w.identity != "" })
		if same < 0 {
			out = append(out, w)
			continue
		}
		first := out[same]
		first.Containers = append(first.Containers, w.Containers...)
		first.denials = append(first.denials, w.denials...)
		if first.audited != w.audited {
			first.audited = false
			first.Remarks = append(first.Remarks, mixed)
		}
		for _, r := range w.Remarks {
			if !slices.Contains(first.Remarks, r) {
				first.Remarks = append(first.Remarks, r)
			}
		}
	}
	taken := make(map[string]bool)
	for _, w := range out {
		first := w.Name
		for n := 2; taken[w.Name] || w.inPolicy(); n++ {
			w.Name = fmt.Sprintf("%s-%d", first, n)
		}
		taken[w.Name] = true
		if w.under == nil {
			continue
		}
		answer, err := For(Question{
			Base: w.under.Seccomp, Mandatory: w.under.MandatoryProfile, MandatoryName: w.under.Mandatory,
			Bounding: w.under.Bounding, Denials: w.denials, Dangerous: a.Dangerous,
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.title, err)
		}
		w.Answer = answer
	}
	return out, nil
}

// workload describes one container.
func (a Asked) workload(c overview.Container) *Workload {
	t := c.Title()
	w := &Workload{Containers: []string{c.ShortID()}, Remarks: []string{}, Answer: &Answer{}, denials: c.Since(a.Since)}
	w.audited = c.Counts != nil && c.Counts.Answer == denials.LetThrough
	w.title = strings.TrimSpace(t.Pod() + " " + t.Name)
	if why := c.Unobserved(); why != "" {
		w.Remarks = append(w.Remarks, why)
	}
	for _, text := range c.Unseen() {
		w.Remarks = append(w.Remarks, "denied and not seen: "+text)
	}
	if c.Counts != nil && c.Counts.Others > 0 {
		w.Remarks = append(w.Remarks, fmt.Sprintf("%d calls of further kinds were counted and not kept", c.Counts.Others))
	}
	if c.Record == nil {
		w.Name = cmp.Or(a.Name, "suggested")
		return w
	}
	glob, stem := PodGlob(t.PodName)
	w.Name = cmp.Or(a.Name, profileName(stem, strings.Trim(t.Name, "()")))
	w.engine = c.Record.ContainerdNamespace
	if c.Record.PodName != "" { // which rules match, unlike what an engine only calls it
		w.PodNamespace, w.PodName = t.PodNamespace, glob
		if c.Record.Kind != policy.Sandbox {
			w.Container = c.Record.Container
		}
	}
	if len(w.denials) == 0 {
		return w
	}
	under, err := a.Under(c.Record)
	if err != nil {
		w.Remarks = append(w.Remarks, fmt.Sprintf("no profile can be suggested: %v; name its profile by --base", err))
		return w
	}
	w.under, w.Base = under, under.Name
	if under.Changed {
		w.Remarks = append(w.Remarks, "the policy has changed since the container started: this starts from the profile of today")
	}
	if w.PodName != "" {
		w.identity = strings.Join([]string{w.PodNamespace, w.PodName, w.Container, fmt.Sprint(under.Filtered), string(profile.Encode(under.Seccomp))}, "\n")
	}
	return w
}

// inPolicy reports whether the policy has a profile or a rule of this name already.
func (w *Workload) inPolicy() bool {
	if w.under == nil || w.under.Policy == nil {
		return false
	}
	return slices.Contains(w.under.Policy.ProfileNames(), w.Name) ||
		slices.ContainsFunc(w.under.Policy.Rules, func(r policy.Rule) bool { return r.Name == w.Name })
}

// answers are the lines of the rule besides name and match.
func (w *Workload) answers() (out []string) {
	question := "absent"
	if w.under.Filtered {
		question = "present"
	}
	out = append(out, question+": "+w.Name)
	switch {
	case !w.endsFloor():
	case w.under.Floor == "": // as before
		out = append(out, "floor: None")
	default:
		out = append(out, "floor: None # the profile is as strict as the floor, but for what it opens")
	}
	p, d := w.under.Policy, w.under.Decision
	if p == nil {
		return out
	}
	for _, a := range []struct{ key, own, top string }{
		{"hooks", d.Hooks, p.Hooks}, {"mode", string(d.Mode), string(p.Mode)}, {"denials", string(d.Denials), string(p.Denials)},
	} {
		if a.own != a.top && a.own != "" {
			out = append(out, a.key+": "+a.own)
		}
	}
	return out
}

// endsFloor reports whether the policy's floor must go, so that the profile counts.
func (w *Workload) endsFloor() bool {
	u := w.under
	switch {
	case u.Policy == nil:
		return false
	case u.Floor == "":
		return u.Policy.Floor != policy.None
	case u.FloorProfile == nil || u.Floor != u.Policy.Floor:
		return true
	}
	m, err := semantics.Understand(semantics.NewWork(), u.FloorProfile, syscalls.Native[runtime.GOARCH])
	if err != nil {
		return true
	}
	return slices.ContainsFunc(w.Open, func(c Call) bool {
		return slices.ContainsFunc(append([]specs.Arch{c.Arch}, m.Arches...), func(arch specs.Arch) bool {
			f, clear := m.On(arch, c.Name)
			return !clear || f.At(c.sample).Denies()
		})
	})
}
