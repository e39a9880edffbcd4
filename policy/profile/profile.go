package profile

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Profile is a seccomp profile as written. The zero value is not a profile.
// It does not change after Parse.
type Profile struct {
	// Name is what the policy calls it, or its file.
	Name string
	// Digest is the SHA-256 of the text it was read from, in hexadecimal; an
	// inline profile has none of its own.
	Digest string

	seccomp specs.LinuxSeccomp // all but Syscalls, and Architectures if archMap
	archMap []archMapping
	rules   []rule
	at      []document.Finding // the place of each rule
	place   document.Finding   // the place of the profile
	base    string             // a profile whose rules the Security Profiles Operator adds
}

// archMapping is moby's archMap entry: a native arch and those that go with it.
type archMapping struct {
	arch specs.Arch
	subs []specs.Arch
}

// rule is one entry of syscalls, with moby's conditions on when it counts.
type rule struct {
	specs.LinuxSyscall
	includes, excludes conditions
}

// conditions restrict a rule to containers and machines.
type conditions struct {
	caps, arches []string
	minKernel    kernel
}

// kernel is a kernel's major and minor version; zero means no condition.
type kernel struct{ major, minor int }

func (k kernel) less(other kernel) bool {
	return k.major < other.major || k.major == other.major && k.minor < other.minor
}

// Target is what a profile is resolved against.
type Target struct {
	// Bounding is the container's bounding set: names such as CAP_SYS_ADMIN.
	Bounding []string
	// GOARCH is the machine's architecture in Go's words; empty means this one.
	GOARCH string
	// KernelRelease is uname's release, such as 6.1.0-13-amd64; empty means
	// that conditions on the kernel do not hold.
	KernelRelease string
}

func (t Target) goarch() string {
	if t.GOARCH == "" {
		return runtime.GOARCH
	}
	return t.GOARCH
}

func (t Target) kernel() kernel {
	var k kernel
	_, _ = fmt.Sscanf(t.KernelRelease, "%d.%d", &k.major, &k.minor)
	return k
}

// Resolve returns the profile as runtime-spec's linux.seccomp for one container on
// one machine: archMap, includes and excludes are applied and gone.
func (p *Profile) Resolve(t Target) specs.LinuxSeccomp {
	out := p.seccomp
	for _, m := range p.archMap {
		if m.arch == syscalls.Native[t.goarch()] {
			out.Architectures = append([]specs.Arch{m.arch}, m.subs...)
		}
	}
	for _, r := range p.rules {
		if r.applies(t) {
			out.Syscalls = append(out.Syscalls, r.LinuxSyscall)
		}
	}
	return out
}

// applies follows moby's order: excludes first, each alone enough to drop the
// rule, then includes, which must all hold.
func (r rule) applies(t Target) bool {
	has := func(c string) bool { return slices.Contains(t.Bounding, c) }
	ex, in := r.excludes, r.includes
	switch {
	case slices.Contains(ex.arches, t.goarch()), slices.ContainsFunc(ex.caps, has):
		return false
	case ex.minKernel != kernel{} && !t.kernel().less(ex.minKernel):
		return false
	case len(in.arches) > 0 && !slices.Contains(in.arches, t.goarch()):
		return false
	case slices.ContainsFunc(in.caps, func(c string) bool { return !has(c) }):
		return false
	}
	return !t.kernel().less(in.minKernel)
}

// FiltersNothing reports whether runc would install no filter at all for s: it
// skips a profile without rules that allows by default or has no default action
// (libcontainer/specconv and libcontainer/seccomp).
func FiltersNothing(s *specs.LinuxSeccomp) bool {
	return s == nil || len(s.Syscalls) == 0 && (s.DefaultAction == specs.ActAllow || s.DefaultAction == "")
}

// Base returns the name of the profile whose rules the Security Profiles Operator adds to a
// SeccompProfile. Without these rules it is unknown what containers run under.
func (p *Profile) Base() string { return p.base }

// Empty reports whether the profile filters nothing for anybody.
func (p *Profile) Empty() bool {
	return p.seccomp.DefaultAction == specs.ActAllow && len(p.rules) == 0 && p.base == ""
}
