package recording

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Denied returns which of the recorded calls a profile denies, by [Judge], and those of which that is
// not known. Calls do not count that the runtime does not know, and clone3 if it fails with ENOSYS,
// as then the C library takes clone.
func (m *Made) Denied(s *specs.LinuxSeccomp) (denied, unknown []Verdict, err error) {
	if err := semantics.CheckSize(s); err != nil {
		return nil, nil, err
	}
	all, err := Judge(m.recordings, *s)
	for _, v := range all {
		switch {
		case v.Falls || !m.options.Runtime.Knows(v.Name):
		case v.Why != "":
			unknown = append(unknown, v)
		default:
			denied = append(denied, v)
		}
	}
	return denied, unknown, err
}

// Minimized is a profile without what recordings did not need.
type Minimized struct {
	Seccomp specs.LinuxSeccomp
	// Unchanged is set if all of the profile is needed, and Seccomp is the profile itself.
	Unchanged bool
	// Notes say where Seccomp is stricter than it need be.
	Notes []string
	// Gone are the calls that the profile permits and Seccomp does not.
	Gone semantics.Changes
}

// Minimize returns p without what the recordings did not need. What is left out ends as the default
// of p says, or with EPERM if that lets calls through. It fails with ENOSYS if libraries then take
// another call and p allowed it. What runtimes need to start a container stays, and so does clone3
// if it was recorded. The result is nowhere looser than p, by [floor.Floor].
//
// It is an error if p denies a call that was recorded, if runc would refuse p, or if Floor returns
// one.
func (m *Made) Minimize(p specs.LinuxSeccomp) (*Minimized, error) {
	denied, unknown, err := m.Denied(&p)
	switch {
	case err != nil:
		return nil, err
	case len(denied) > 0:
		return nil, &DeniedError{denied}
	}
	floored, notes, err := floor.Floor(m.needed(p), p, floor.Limits{})
	if err != nil {
		return nil, err
	}
	out := &Minimized{Seccomp: floored.Seccomp, Unchanged: floored.Unchanged, Notes: notes}
	for i := range unknown {
		out.Notes = append(out.Notes, unknown[i].String())
	}
	if denied, _, err = m.Denied(&out.Seccomp); err != nil {
		return nil, err
	}
	if len(denied) > 0 {
		return nil, errors.New("no rules can leave out the rest and keep " + few(denied))
	}
	out.Gone, err = semantics.Between(&p, &out.Seccomp, nil)
	return out, err
}

// needed returns the profile of the recordings, with the default action, flags and listener of p,
// and with clone3 if that was recorded.
func (m *Made) needed(p specs.LinuxSeccomp) specs.LinuxSeccomp {
	out := m.Seccomp
	out.Flags, out.ListenerPath, out.ListenerMetadata = p.Flags, p.ListenerPath, p.ListenerMetadata
	switch p.DefaultAction {
	case specs.ActAllow, specs.ActLog, specs.ActTrace:
	default:
		out.DefaultAction, out.DefaultErrnoRet = p.DefaultAction, p.DefaultErrnoRet
	}
	if !m.clone3 {
		return out
	}
	out.Syscalls = append(slices.Clone(out.Syscalls), specs.LinuxSyscall{Names: []string{"clone3"}, Action: specs.ActAllow})
	for i, rule := range out.Syscalls {
		if rule.Action == specs.ActErrno {
			out.Syscalls[i].Names = slices.DeleteFunc(slices.Clone(rule.Names), func(name string) bool { return name == "clone3" })
		}
	}
	return out
}

// DeniedError says which recorded calls a profile denies.
type DeniedError struct{ Calls []Verdict }

func (e *DeniedError) Error() string {
	return "it denies what was recorded: " + few(e.Calls)
}

// few joins calls, cut short where they are many.
func few(calls []Verdict) string {
	const most = 8
	var out []string
	for i := range calls[:min(len(calls), most)] {
		out = append(out, calls[i].String())
	}
	if len(calls) > most {
		out = append(out, fmt.Sprintf("and %d more", len(calls)-most))
	}
	return strings.Join(out, "; ")
}

// Conditions returns in words for which arguments the profile of the recordings allows a call.
func (m *Made) Conditions(name string) string {
	var all []string
	for _, rule := range m.Seccomp.Syscalls {
		if !slices.Contains(rule.Names, name) || rule.Action != specs.ActAllow {
			continue
		}
		var one []string
		for _, a := range rule.Args {
			if a.Op == specs.OpMaskedEqual {
				one = append(one, fmt.Sprintf("argument %d & %#x = %#x", a.Index, a.Value, a.ValueTwo))
			} else {
				one = append(one, fmt.Sprintf("argument %d = %#x", a.Index, a.Value))
			}
		}
		all = append(all, strings.Join(one, " and "))
	}
	if len(all) == 0 || slices.Contains(all, "") {
		return "what the profile said for the architectures that stay"
	}
	return strings.Join(all, ", ")
}
