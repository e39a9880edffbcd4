package profile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// HighBits returns the conditions of the profile that high bits get past, on any container
// and machine, each once, in the order in which they are written. It leaves out rules that
// cannot be read, which have findings of their own.
func (p *Profile) HighBits() []semantics.HighBits {
	var out []semantics.HighBits
	seen := make(map[string]bool)
	for _, t := range p.targets() {
		var s specs.LinuxSeccomp
		s.DefaultAction, s.DefaultErrnoRet = p.seccomp.DefaultAction, p.seccomp.DefaultErrnoRet
		var from []int // the place of each rule of s in p
		for i, r := range p.rules {
			if r.applies(t) {
				s.Syscalls, from = append(s.Syscalls, r.LinuxSyscall), append(from, i)
			}
		}
		if key := fmt.Sprint(from); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		found, _ := semantics.PassedByHighBits(&s)
		for _, h := range found {
			h.Rule = from[h.Rule]
			if !slices.ContainsFunc(out, func(o semantics.HighBits) bool { return o.Rule == h.Rule && o.Arg == h.Arg }) {
				out = append(out, h)
			}
		}
	}
	slices.SortFunc(out, func(a, b semantics.HighBits) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Arg, b.Arg))
	})
	return out
}

// targets returns the containers and machines for which the profile's includes and excludes
// may differ: with no capability, with each capability that they name, and with all, on each
// architecture, on an old kernel and on a new one.
func (p *Profile) targets() (out []Target) {
	var caps []string
	for _, r := range p.rules {
		for _, c := range slices.Concat(r.includes.caps, r.excludes.caps) {
			if !slices.Contains(caps, c) && len(caps) < maxTargets {
				caps = append(caps, c)
			}
		}
	}
	sets := [][]string{nil, caps}
	for _, c := range caps {
		sets = append(sets, []string{c})
	}
	for _, arch := range []string{"amd64", "arm64"} {
		for _, kernel := range []string{"1.0", "9999.0"} {
			for _, set := range sets {
				out = append(out, Target{Bounding: set, GOARCH: arch, KernelRelease: kernel})
			}
		}
	}
	return out
}

// maxTargets is more than there are capabilities.
const maxTargets = 64

// HighBitsFindings returns what HighBits finds, as errors at the rules.
func (p *Profile) HighBitsFindings() (out document.Findings) {
	for _, h := range p.HighBits() {
		f := document.Finding{What: "profile", File: p.Name}
		if h.Rule < len(p.at) {
			f = p.at[h.Rule]
		}
		f.ID, f.Message = "high-bits", h.String()
		out = append(out, f)
	}
	return out
}
