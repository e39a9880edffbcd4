package suggest

import (
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// rulesFor returns the lines that open calls: one for all names whose arguments the profile
// does not look at, and one for each set of arguments.
func rulesFor(calls []Call) []specs.LinuxSyscall {
	var names []string
	var out []specs.LinuxSyscall
	for _, c := range calls {
		if len(c.Args) == 0 {
			names = append(names, c.Name)
			continue
		}
		out = append(out, ruleFor(c))
	}
	if len(names) > 0 {
		slices.Sort(names)
		out = slices.Insert(out, 0, specs.LinuxSyscall{Names: slices.Compact(names), Action: specs.ActAllow})
	}
	return out
}

// ruleFor returns the line that opens one call.
func ruleFor(c Call) specs.LinuxSyscall {
	r := specs.LinuxSyscall{Names: []string{c.Name}, Action: specs.ActAllow}
	for _, i := range slices.Sorted(maps.Keys(c.Args)) {
		r.Args = append(r.Args, specs.LinuxSeccompArg{Index: i, Value: c.Args[i], Op: specs.OpEqualTo})
	}
	return r
}

// opened returns base with calls allowed. It is an error if that allows another call too, or
// changes what becomes of one.
func opened(base *specs.LinuxSeccomp, calls []Call, native specs.Arch) (*specs.LinuxSeccomp, error) {
	out := profile.Unseal(*base)
	out.Syscalls = nil
	for _, r := range profile.Unseal(*base).Syscalls {
		if !semantics.Permits(r.Action) && len(r.Args) == 0 {
			r.Names = slices.DeleteFunc(slices.Clone(r.Names), func(name string) bool {
				return slices.ContainsFunc(calls, func(c Call) bool { return c.Name == name })
			})
			if len(r.Names) == 0 {
				continue
			}
		}
		out.Syscalls = append(out.Syscalls, r)
	}
	if !semantics.Permits(base.DefaultAction) {
		out.Syscalls = append(out.Syscalls, rulesFor(calls)...)
	}
	p := &proof{base: base, next: &out, calls: calls, native: native}
	given := make(map[string]bool)
	p.newerOnes = given
	for { // each round gives a name its rule, so it ends
		newer, err := p.newer()
		if err != nil {
			return nil, err
		}
		newer = slices.DeleteFunc(newer, func(name string) bool { return given[name] })
		if len(newer) == 0 {
			return &out, p.holds()
		}
		for _, name := range newer {
			given[name] = true
		}
		enosys := uint(semantics.ENosys)
		out.Syscalls = append(out.Syscalls, specs.LinuxSyscall{Names: newer, Action: specs.ActErrno, ErrnoRet: &enosys})
	}
}
