package lint

import (
	"errors"
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
)

// profile checks a profile as its engine reads it, and then what the node's runtime
// makes of that.
func (l Linter) profile(f File) (out []manifest.Finding, err error) {
	p, findings := CheckProfile(f.Name, f.Data, l.Engine.For(f.Name, f.Data))
	if p != nil && l.Runtime != nil {
		skipped, err := l.Runtime(func(m policy.Machine) document.Findings {
			return p.Skipped(f.Name, profile.Target{KernelRelease: m.KernelRelease}, m.Runtime, m.Calls)
		})
		if err != nil {
			return nil, err
		}
		findings = append(findings, skipped...)
	}
	for _, f := range findings {
		out = append(out, manifest.Finding{Finding: f})
	}
	if p != nil {
		out = append(out, highBits(p, f.Data)...)
	}
	return out, nil
}

// CheckProfile judges a profile as an engine reads it, and has libseccomp compile what
// comes of it. The profile is nil where no container starts with it.
func CheckProfile(name string, data []byte, by reader.Engine) (*profile.Profile, document.Findings) {
	p, findings := by.Read(name, data)
	if p == nil {
		return nil, findings
	}
	add := func(id, format string, args ...any) {
		findings = append(findings, document.Finding{
			ID: id, What: "profile", File: name, Line: 1, Column: 1, Message: fmt.Sprintf(format, args...),
		})
	}
	if p.Empty() {
		add("filters-nothing", "has no rules and allows by default: the filter allows every call of the profile's ABIs, and Batten takes it for none; where that is meant, say Unconfined")
		return nil, findings
	}
	findings = append(findings, advice(p, findings)...)
	for i := range findings {
		if findings[i].ID == "hangs-runtime" {
			findings[i].Warning = false // a policy may be for crun, which it does not hang
		}
	}
	s := p.Resolve(profile.Target{KernelRelease: kernel.Release()})
	if profile.FiltersNothing(&s) {
		return p, findings // its rules are for other containers
	}
	program, err := filter.InTime(&s, func() (*filter.Program, error) { return filter.Compile(&s) })
	switch {
	case errors.Is(err, filter.ErrSlow):
		add("not-compiled", "%v", err)
	case err != nil:
		add("not-compiled", "libseccomp does not compile it, so runc refuses the container: %v", err)
	case len(program.Instructions) > filter.MaxInstructions:
		add("too-long", "compiles to %d instructions, and the kernel takes %d: no container starts; leave architectures out, or join rules",
			len(program.Instructions), filter.MaxInstructions)
	}
	return p, findings
}

// advice is the profile's, without what follows from what an engine dropped.
func advice(p *profile.Profile, findings document.Findings) document.Findings {
	noArches := slices.ContainsFunc(findings, func(f document.Finding) bool { return f.ID == "dropped" && f.Path == "archMap" })
	return slices.DeleteFunc(p.Advice(), func(f document.Finding) bool { return noArches && f.ID == "native-only" })
}
