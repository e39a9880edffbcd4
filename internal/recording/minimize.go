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

// Denied returns in words which of the recorded calls a profile denies, each once, in the order of
// their names. A call counts that was recorded and that the runtime knows. clone3 does not count if
// it fails with ENOSYS, as then the C library takes clone.
func (m *Made) Denied(s *specs.LinuxSeccomp) ([]string, error) {
	if err := semantics.CheckSize(s); err != nil {
		return nil, err
	}
	w := semantics.NewWork()
	meaning, err := semantics.Understand(w, s, m.Seccomp.Architectures[0])
	if err != nil {
		return nil, err
	}
	var out []string
	for _, site := range m.sites {
		f, _ := meaning.On(site.arch, site.name)
		o := f.At(site.args)
		text := site.String()
		switch {
		case !m.options.Runtime.Knows(site.name), site.name == "clone3" && o == semantics.Enosys:
			continue
		case !slices.Contains(meaning.Arches, site.arch):
			text += ", an architecture that it does not list"
		case !o.Denies():
			continue
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out, w.Err()
}

func (s site) String() string {
	out, word := s.name, " with argument"
	for _, index := range s.indexes {
		out += fmt.Sprintf("%s %d = %#x", word, index, s.args[index])
		word = " and"
	}
	if s.program != "" {
		out += " by " + s.program
	}
	return out + " on " + string(s.arch)
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
	denied, err := m.Denied(&p)
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
	if denied, err = m.Denied(&out.Seccomp); err != nil {
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
	if !slices.ContainsFunc(m.sites, func(s site) bool { return s.name == "clone3" }) {
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
type DeniedError struct{ Calls []string }

func (e *DeniedError) Error() string {
	return "it denies what was recorded: " + few(e.Calls)
}

// few joins calls, cut short where they are many.
func few(calls []string) string {
	const most = 8
	if len(calls) > most {
		return fmt.Sprintf("%s; and %d more", strings.Join(calls[:most], "; "), len(calls)-most)
	}
	return strings.Join(calls, "; ")
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
