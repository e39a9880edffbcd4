package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// multiplexed are rules whose conditions do not hold for 32-bit programs, alike.
type multiplexed struct {
	text         string
	first, count int
}

func (m multiplexed) String() string {
	switch m.count {
	case 1:
		return m.text
	case 2:
		return m.text + "; so it is with another rule"
	}
	return fmt.Sprintf("%s; so it is with %d more rules", m.text, m.count-1)
}

// allMultiplexed returns the rules with conditions on calls that 32-bit programs also make
// through socketcall or ipc, those together of which the same is true.
func (p *Profile) allMultiplexed() (out []multiplexed) {
	for i, r := range p.rules {
		names := p.multiplexed(r)
		if len(names) == 0 {
			continue
		}
		text := aboutMultiplexed(r, names)
		same := slices.IndexFunc(out, func(m multiplexed) bool { return m.text == text })
		if same < 0 {
			same = len(out)
			out = append(out, multiplexed{text: text, first: i})
		}
		out[same].count++
	}
	return out
}

// multiplexed returns the calls of r that 32-bit programs also make through socketcall or
// ipc, where its conditions do not compare the arguments: libseccomp puts the call's number
// in place of a condition on argument 0, and compares pointers by the others. It leaves out
// those of which another rule says the same, whatever the arguments.
func (p *Profile) multiplexed(r rule) (names []string) {
	if len(r.Args) == 0 || !p.lists(specs.ArchX86) {
		return nil
	}
	for _, name := range r.Names {
		if by, behind := syscalls.Multiplexed[name]; behind && !p.says(by.By, r.Action) && !(byAccident(r) && p.says(by.By, r.Action, by.Call)) {
			names = append(names, name)
		}
	}
	return names
}

// says reports whether a rule has an action for a call in every case, or wherever argument 0 is call.
func (p *Profile) says(name string, action specs.LinuxSeccompAction, call ...uint64) bool {
	var args []specs.LinuxSeccompArg
	for _, n := range call {
		args = append(args, specs.LinuxSeccompArg{Op: specs.OpEqualTo, Value: n})
	}
	always := func(c conditions) bool { return len(c.caps) == 0 && len(c.arches) == 0 && c.minKernel == kernel{} }
	return slices.ContainsFunc(p.rules, func(r rule) bool {
		return r.Action == action && slices.Equal(r.Args, args) && always(r.includes) && always(r.excludes) && slices.Contains(r.Names, name)
	})
}

func aboutMultiplexed(r rule, names []string) string {
	by := syscalls.Multiplexed[names[0]].By
	does := "denies"
	if semantics.Permits(r.Action) {
		does = "allows"
	}
	if byAccident(r) {
		return fmt.Sprintf("32-bit programs make %s through %s, of whose arguments the filter sees a pointer: there the conditions of this rule match by accident", strings.Join(names, ", "), by)
	}
	return fmt.Sprintf("32-bit programs make %s through %s, of whose arguments the filter sees a pointer: there this rule %s the call whatever argument 0 is", strings.Join(names, ", "), by, does)
}

// byAccident reports whether a rule compares another argument than the first, which is a pointer there.
func byAccident(r rule) bool {
	return slices.ContainsFunc(r.Args, func(a specs.LinuxSeccompArg) bool { return a.Index != 0 })
}
