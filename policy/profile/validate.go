package profile

import (
	"math"
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// validate reports at n and, rule by rule, at syscalls what is wrong with p
// and what a runtime would silently make of it. Errors are what runc or the
// kernel refuses or what can mean nothing; the rest are warnings. Of a profile that
// has unreadable parts nothing is said that may follow from these.
func (p *Profile) validate(n, syscalls document.Node, unreadable bool) {
	if p.seccomp.DefaultAction == specs.ActNotify {
		n.As("notify-default").Errorf("defaultAction is SCMP_ACT_NOTIFY; runc refuses that, write the calls to notify of as rules")
	}
	if syscalls.IsZero() {
		syscalls = n
	}
	places := places(syscalls, len(p.rules))
	if err := p.checkSize(); err != nil {
		n.As("too-large").Errorf("%v", err)
		return
	}
	suggestions := maxSuggestions
	notifies := false
	for i, r := range p.rules {
		p.validateRule(r, places[i], &suggestions)
		notifies = notifies || r.Action == specs.ActNotify
	}
	switch {
	case notifies && p.seccomp.ListenerPath == "":
		n.As("notify-no-listener").Errorf("a rule has SCMP_ACT_NOTIFY but listenerPath is missing; runc refuses that")
	case !notifies && p.seccomp.ListenerPath != "":
		n.As("listener-unused").Warnf("listenerPath is set but no rule has SCMP_ACT_NOTIFY; nothing will be sent there")
	}
	if unreadable {
		return // what follows from it is said when it can be read
	}
	p.validateOverlaps(places)
	p.validateMisread(n)
	p.validateStart(n)
}

// places are the nodes of the rules, or the whole list's where they are not
// at hand.
func places(syscalls document.Node, rules int) []document.Node {
	if !syscalls.IsZero() && syscalls.IsList() {
		if items := syscalls.Items(); len(items) == rules {
			return items
		}
	}
	return slices.Repeat([]document.Node{syscalls}, rules)
}

func (p *Profile) validateRule(r rule, at document.Node, suggestions *int) {
	if len(r.Names) == 0 {
		return // that is said
	}
	if p.skipped(r) {
		at.As("repeats-default").Warnf("has the same action as defaultAction; runc skips the rule")
	}
	for _, name := range r.Names {
		validateName(name, r.Action, at, suggestions)
	}
	if r.ErrnoRet != nil && r.Action != specs.ActErrno && r.Action != specs.ActTrace {
		at.As("errno-ignored").Warnf("errnoRet counts only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE; runc ignores it here")
	}
	if r.Action == specs.ActNotify && slices.Contains(r.Names, "write") {
		at.As("notify-write").Errorf("SCMP_ACT_NOTIFY on write; runc refuses that, since it writes to hand over the listener")
	}
	if r.ErrnoRet != nil && *r.ErrnoRet == 0 && r.Action == specs.ActErrno {
		at.As("errno-zero").Warnf("errnoRet is 0: the call is not made and returns 0, which most programs take for success")
	}
	r.validateArgs(at)
	r.validateConditions(at)
}

// maxSuggestions is how many unknown names a likely one is sought for, and
// maxPairs how many conditions are compared in the search for overlaps.
const (
	maxSuggestions = 32
	maxPairs       = 500_000
)

// checkSize is [CheckSize] of all rules, whatever they are for.
func (p *Profile) checkSize() error {
	var s specs.LinuxSeccomp
	for _, r := range p.rules {
		s.Syscalls = append(s.Syscalls, r.LinuxSyscall)
	}
	return semantics.CheckSize(&s)
}

// validateName reports names that runtimes skip. Under an action that allows
// only likely misspellings are worth a word.
func validateName(name string, action specs.LinuxSeccompAction, at document.Node, suggestions *int) {
	if name == "" {
		return
	}
	if _, known := syscalls.Arches(name); known {
		return
	}
	suggestion := ""
	if *suggestions > 0 {
		*suggestions--
		suggestion = document.Suggest(name, SyscallNames())
	}
	switch {
	case !semantics.Permits(action):
		at.As("unknown-syscall").Warnf("unknown syscall %q: runtimes skip it, so the rule denies nothing by that name%s", name, suggestion)
	case suggestion != "":
		at.As("unknown-syscall").Warnf("unknown syscall %q: runtimes skip it%s", name, suggestion)
	}
}

// SyscallNames are the names of system calls that Batten knows.
func SyscallNames() []string {
	names := make([]string, len(syscalls.Table))
	for i, s := range syscalls.Table {
		names[i] = s.Name
	}
	return names
}

// skipped reports whether runc leaves r out because it says the default again.
func (p *Profile) skipped(r rule) bool {
	action, errno := semantics.Effect(r.Action, r.ErrnoRet)
	defaultAction, defaultErrno := semantics.Effect(p.seccomp.DefaultAction, p.seccomp.DefaultErrnoRet)
	return action != "" && action == defaultAction && errno == defaultErrno // an unknown action is ""
}

// neverMatches reports whether no 64-bit value meets the condition.
func neverMatches(arg specs.LinuxSeccompArg) bool {
	switch arg.Op {
	case specs.OpLessThan:
		return arg.Value == 0
	case specs.OpGreaterThan:
		return arg.Value == math.MaxUint64
	}
	return false
}

// validateMisread warns of what libseccomp makes a filter of in which no rule
// matches: see findMisread.
func (p *Profile) validateMisread(n document.Node) {
	s := p.Resolve(Target{})
	if !slices.Contains(s.Architectures, specs.ArchX32) {
		return
	}
	if len(semantics.Misread(&s, specs.ArchX86_64)) > 0 {
		n.As("matches-nothing").Warnf("lists SCMP_ARCH_X32, and its rules without conditions are on calls that x86_64 lacks: for crun, and up to 32 names for runc, libseccomp makes a filter in which no rule matches; leave SCMP_ARCH_X32 out")
	}
}
