package observe

import (
	"fmt"
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

type frontRule struct {
	name string
	semantics.Clause
}

// rules returns the twin's rules: first what must be first; then the profile's own in their
// order, without the names that have new ones; then the new ones, names that have the same
// together.
func (o *observing) rules() (out []specs.LinuxSyscall) {
	for _, f := range o.front {
		out = append(out, rule([]string{f.name}, f.Clause))
	}
	renewed := func(name string) bool {
		_, ok := o.changed[name]
		return ok
	}
	for _, r := range o.Seccomp.Syscalls {
		if !slices.ContainsFunc(r.Names, renewed) {
			out = append(out, o.kindly(r))
			continue
		}
		r.Names = slices.DeleteFunc(slices.Clone(r.Names), renewed)
		if len(r.Names) > 0 {
			out = append(out, o.kindly(r))
		}
	}
	groups := make(map[string][]string)
	for _, name := range slices.Sorted(maps.Keys(o.changed)) {
		key := fmt.Sprint(o.changed[name])
		groups[key] = append(groups[key], name)
	}
	for _, conditional := range []bool{false, true} {
		for _, key := range slices.Sorted(maps.Keys(groups)) {
			names := groups[key]
			clauses := o.changed[names[0]]
			if conditional == (len(clauses) == 1 && len(clauses[0].Conds) == 0) {
				continue
			}
			for _, c := range clauses {
				out = append(out, rule(names, c))
			}
		}
	}
	return out
}

// kindly returns a rule of the profile's own as the twin has it: under Audit it denies
// nothing.
func (o *observing) kindly(r specs.LinuxSyscall) specs.LinuxSyscall {
	if o.Mode == Audit && !semantics.Permits(r.Action) && r.Action != specs.ActTrace {
		r.Action, r.ErrnoRet = specs.ActLog, nil
	}
	return r
}

func rule(names []string, c semantics.Clause) specs.LinuxSyscall {
	action, errno := c.Outcome.Action()
	return specs.LinuxSyscall{Names: names, Action: action, ErrnoRet: errno, Args: c.Conds}
}
