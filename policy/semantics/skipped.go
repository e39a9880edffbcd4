package semantics

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Skipped returns the names of demand whose rules a runtime does not enforce: the runtime
// gets result, skips the names in it, and the calls then end looser than demand says. It
// leaves out calls that the kernel does not have, and rules that allow: if these are
// skipped, the call stays denied.
//
// demand is what the policy demands of the container: the profile that the policy supplies,
// its floor, or both.
func Skipped(demand, result *specs.LinuxSeccomp, r syscalls.Runtime, kernel syscalls.Calls) (names []string, err error) {
	if !r.Judged() {
		return nil, nil
	}
	suspects := suspects(demand, r, kernel)
	if len(suspects) == 0 {
		return nil, nil
	}
	native := syscalls.Native[runtime.GOARCH]
	w := NewWork()
	wants, err := Understand(w, demand, native)
	if err != nil {
		return nil, err
	}
	reads := AsRead(result, r)
	gets, err := Understand(w, &reads, native)
	if err != nil {
		return nil, err
	}
	if err := w.Err(); err != nil {
		return nil, err
	}
	for _, name := range suspects {
		if wants.stricterThan(gets, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// suspects returns the names in rules that deny, that the runtime skips, and that the kernel
// may have.
func suspects(s *specs.LinuxSeccomp, r syscalls.Runtime, kernel syscalls.Calls) (out []string) {
	for _, rule := range s.Syscalls {
		if rule.Action == specs.ActAllow {
			continue // nothing is looser
		}
		for _, name := range rule.Names {
			if !r.Knows(name) && kernel.Has(name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// stricterThan reports whether m has a rule on name that is stricter than gets. gets has no
// rule on name.
func (m *Meaning) stricterThan(gets *Meaning, name string) bool {
	_, known := syscalls.Arches(name)
	for _, arch := range gets.Arches {
		if !slices.Contains(m.Arches, arch) {
			continue // demand does not list the architecture
		}
		instead := gets.Otherwise
		if nr, ok := syscalls.Number(arch, name); ok {
			instead = gets.Beyond(arch, nr)
		} else if known {
			continue // the architecture does not have the call
		}
		if slices.ContainsFunc(m.Clauses[name], func(c Clause) bool { return c.Outcome.Order < instead.Order }) {
			return true
		}
	}
	return false
}

// AsRead returns s as the runtime reads it: without the names that the runtime skips, and
// without rules that have no other names.
func AsRead(s *specs.LinuxSeccomp, r syscalls.Runtime) specs.LinuxSeccomp {
	out := *s
	out.Syscalls = make([]specs.LinuxSyscall, 0, len(s.Syscalls))
	for _, rule := range s.Syscalls {
		rule.Names = slices.DeleteFunc(slices.Clone(rule.Names), func(name string) bool { return !r.Knows(name) })
		if len(rule.Names) > 0 {
			out.Syscalls = append(out.Syscalls, rule)
		}
	}
	return out
}

// Reachable returns s without the names that the runtime skips and the kernel lacks:
// nobody can make these calls, whatever their rules say.
func Reachable(s *specs.LinuxSeccomp, r syscalls.Runtime, kernel syscalls.Calls) specs.LinuxSeccomp {
	out := *s
	out.Syscalls = make([]specs.LinuxSyscall, 0, len(s.Syscalls))
	for _, rule := range s.Syscalls {
		rule.Names = slices.DeleteFunc(slices.Clone(rule.Names), func(name string) bool {
			return !r.Knows(name) && !kernel.Has(name)
		})
		if len(rule.Names) > 0 {
			out.Syscalls = append(out.Syscalls, rule)
		}
	}
	return out
}

// OldestUsual is the oldest libseccomp in a distribution that is still supported. If the
// node's runtime is unknown, a name that needs a newer libseccomp gets a warning.
const OldestUsual = "2.5.2"

// SkippedError says that a runtime skips names that a profile denies.
type SkippedError struct {
	// Profile names the profile: a word or name of the policy, or a file.
	Profile string
	Names   []string
	Runtime syscalls.Runtime
}

func (e *SkippedError) Error() string {
	return fmt.Sprintf("%s denies %s, but %s skips rules on names that it does not know, so nothing would deny %s: %s",
		e.Profile, strings.Join(e.Names, ", "), e.Runtime, them(e.Names), e.remedy())
}

func them(names []string) string {
	if len(names) == 1 {
		return "it"
	}
	return "them"
}

func (e *SkippedError) remedy() string {
	instead := `write the profile with a defaultAction that denies and list what it allows`
	at := -1
	for _, name := range e.Names {
		since, ok := syscalls.KnownSince()[name]
		if !ok {
			return "no libseccomp is known to know " + name + "; " + instead
		}
		at = max(at, since)
	}
	return fmt.Sprintf("use a runtime with libseccomp %s or later, or %s", syscalls.LibseccompReleases[at].Version, instead)
}
