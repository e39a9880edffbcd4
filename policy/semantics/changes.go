package semantics

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Changes are the system calls that two profiles treat differently. A call is named once,
// however many architectures have it. The zero value means that nothing changes.
type Changes struct {
	// Denied are the calls that the first profile permits and the second denies.
	// DeniedSome are those that it denies for some arguments, or on some architectures.
	Denied     []string `json:"denied,omitempty"`
	DeniedSome []string `json:"deniedSome,omitempty"`
	// Allowed are the calls that the first profile denies for some arguments and that
	// the second permits for these.
	Allowed []string `json:"allowed,omitempty"`
	// Otherwise are the calls that both permit or both deny, in different ways: with
	// another errno, by killing, with a line in the kernel's log.
	Otherwise []string `json:"otherwise,omitempty"`
	// Closed are the architectures of which the second profile kills every program.
	// Opened are those of which the first one does.
	Closed []specs.Arch `json:"closed,omitempty"`
	Opened []specs.Arch `json:"opened,omitempty"`
	// Flags is set where the second filter is loaded with other flags than the first, or
	// with another listener.
	Flags bool `json:"flags,omitempty"`
}

// Between returns what profile b changes for a container that has profile a. Nil stands
// for no filter. Architectures that the kernel does not run are left out: runs reports
// which it runs, and a nil runs stands for all of them.
//
// The answer is exact, but for a call whose rules have more than one reading: there the
// strictest counts, in both profiles.
func Between(a, b *specs.LinuxSeccomp, runs func(specs.Arch) bool) (out Changes, err error) {
	arches := machineArches[runtime.GOARCH]
	if arches == nil {
		return out, fmt.Errorf("the numbers of system calls on %s are unknown to Batten", runtime.GOARCH)
	}
	w := NewWork()
	first, err := understood(w, "the first profile", a)
	if err != nil {
		return out, err
	}
	second, err := understood(w, "the second profile", b)
	if err != nil {
		return out, err
	}
	seen := make(map[string]change)
	for _, arch := range arches {
		if runs != nil && !runs(arch) {
			continue
		}
		switch before, after := slices.Contains(first.Arches, arch), slices.Contains(second.Arches, arch); {
		case before && !after:
			out.Closed = append(out.Closed, arch)
		case !before && after:
			out.Opened = append(out.Opened, arch)
		case before && arch != specs.ArchX32: // x32 has x86_64's names, and rules are by name
			changesOn(w, arch, first, second, seen)
		}
	}
	if err := w.Err(); err != nil {
		return Changes{}, err
	}
	out.collect(seen)
	out.Flags = a != nil && b != nil && loading(a) != loading(b)
	return out, nil
}

// loading returns a filter's flags and listener as one text. No list of flags means SPEC_ALLOW.
func loading(s *specs.LinuxSeccomp) string {
	flags := s.Flags
	if flags == nil {
		flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagSpecAllow}
	}
	flags = slices.Compact(slices.Sorted(slices.Values(flags)))
	return fmt.Sprintf("%q %q %q", flags, s.ListenerPath, s.ListenerMetadata)
}

// understood returns what a profile means; nil is no filter.
func understood(w *Work, whose string, s *specs.LinuxSeccomp) (*Meaning, error) {
	if s == nil {
		s = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: machineArches[runtime.GOARCH]}
	}
	if err := CheckSize(s); err != nil {
		return nil, Said(whose, err)
	}
	m, err := Understand(w, s, syscalls.Native[runtime.GOARCH])
	return m, Said(whose, err)
}

// change is what becomes of a call on the architectures that have it.
type change struct{ permitted, denied, allowed, otherwise bool }

// changesOn notes the changes on one architecture.
func changesOn(w *Work, arch specs.Arch, first, second *Meaning, seen map[string]change) {
	denies := func(o Outcome) bool { return o.Order <= OrderErrno }
	for _, call := range syscalls.Table {
		if _, ok := syscalls.Number(arch, call.Name); !ok {
			continue
		}
		f, _ := first.On(arch, call.Name)
		g, _ := second.On(arch, call.Name)
		c, budget := seen[call.Name], w.One()
		somewhere := func(relation func(f, g Outcome) bool) bool { return budget.Somewhere(f, g, relation) }
		c.permitted = c.permitted || somewhere(func(_, g Outcome) bool { return !denies(g) })
		c.denied = c.denied || somewhere(func(f, g Outcome) bool { return !denies(f) && denies(g) })
		c.allowed = c.allowed || somewhere(func(f, g Outcome) bool { return denies(f) && !denies(g) })
		c.otherwise = c.otherwise || somewhere(func(f, g Outcome) bool { return f != g && denies(f) == denies(g) })
		seen[call.Name] = c
	}
}

// collect writes what was seen, in the order of the names.
func (c *Changes) collect(seen map[string]change) {
	for _, call := range syscalls.Table {
		s := seen[call.Name]
		if s.denied && s.permitted {
			c.DeniedSome = append(c.DeniedSome, call.Name)
		} else if s.denied {
			c.Denied = append(c.Denied, call.Name)
		}
		if s.allowed {
			c.Allowed = append(c.Allowed, call.Name)
		}
		if s.otherwise && !s.denied && !s.allowed {
			c.Otherwise = append(c.Otherwise, call.Name)
		}
	}
}

// None reports whether nothing is changed.
func (c *Changes) None() bool {
	return len(c.Denied)+len(c.DeniedSome)+len(c.Allowed)+len(c.Otherwise)+len(c.Closed)+len(c.Opened) == 0 && !c.Flags
}

// telling are the calls to name first in a sentence about a change: those by which
// containers reach the node, then those that programs miss.
var telling = []string{
	"mount", "bpf", "unshare", "setns", "ptrace", "clone", "keyctl", "io_uring_setup",
	"perf_event_open", "userfaultfd", "init_module", "finit_module", "kexec_load",
	"open_by_handle_at", "pivot_root", "umount2", "move_mount", "fsopen", "chroot",
	"process_vm_readv", "add_key", "socket", "personality", "reboot", "swapon", "settimeofday",
}

// shown is how many calls of a change are named in a sentence.
const shown = 3

// String returns the changes in a few words, as in "deny 44 calls: mount, bpf, ...".
func (c Changes) String() string {
	var parts []string
	add := func(verb string, always, some []string) {
		if n := len(always) + len(some); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s: %s", verb, countCalls(n), fewOf(always, some)))
		}
	}
	add("deny", c.Denied, c.DeniedSome)
	for _, arch := range c.Closed {
		parts = append(parts, "kill programs of "+string(arch))
	}
	add("allow", c.Allowed, nil)
	for _, arch := range c.Opened {
		parts = append(parts, "let programs of "+string(arch)+" run")
	}
	if n := len(c.Otherwise); n > 0 {
		parts = append(parts, fmt.Sprintf("answer %s otherwise: %s", countCalls(n), fewOf(c.Otherwise, nil)))
	}
	if c.Flags {
		parts = append(parts, "load the filter with other flags")
	}
	if len(parts) == 0 {
		return "change nothing"
	}
	return strings.Join(parts, "; ")
}

func countCalls(n int) string {
	if n == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", n)
}

// fewOf names the most telling calls.
func fewOf(always, some []string) string {
	all := slices.Concat(always, some)
	var names []string
	for _, name := range slices.Concat(telling, all) {
		if !slices.Contains(all, name) || slices.Contains(names, name) {
			continue
		}
		if len(names) == shown {
			names = append(names, "…")
			break
		}
		names = append(names, name)
	}
	for i, name := range names {
		if slices.Contains(some, name) {
			names[i] += " (some)"
		}
	}
	return strings.Join(names, ", ")
}
