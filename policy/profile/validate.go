package profile

import (
	"math"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Validate reports at n and, rule by rule, at syscalls what is wrong with p
// and what a runtime would silently make of it. Errors are what runc or the
// kernel refuses or what can mean nothing; the rest are warnings.
func Validate(p *Profile, n, syscalls document.Node) {
	if p.seccomp.DefaultAction == specs.ActNotify {
		n.As("notify-default").Errorf("defaultAction is SCMP_ACT_NOTIFY; runc refuses that, write the calls to notify of as rules")
	}
	if syscalls.IsZero() {
		syscalls = n
	}
	places := places(syscalls, len(p.rules))
	notifies := false
	for i, r := range p.rules {
		p.validateRule(r, places[i])
		notifies = notifies || r.Action == specs.ActNotify
	}
	switch {
	case notifies && p.seccomp.ListenerPath == "":
		n.As("notify-no-listener").Errorf("a rule has SCMP_ACT_NOTIFY but listenerPath is missing; runc refuses that")
	case !notifies && p.seccomp.ListenerPath != "":
		n.As("listener-unused").Warnf("listenerPath is set but no rule has SCMP_ACT_NOTIFY; nothing will be sent there")
	}
	p.validateOverlaps(places)
	p.validateMisread(n)
	p.validateStart(n)
}

// places are the nodes of the rules, or the whole list's where they are not
// at hand.
func places(syscalls document.Node, rules int) []document.Node {
	if syscalls.IsList() {
		if items := syscalls.Items(); len(items) == rules {
			return items
		}
	}
	return slices.Repeat([]document.Node{syscalls}, rules)
}

func (p *Profile) validateRule(r rule, at document.Node) {
	if p.skipped(r) {
		at.As("repeats-default").Warnf("has the same action as defaultAction; runc skips the rule")
	}
	for _, name := range r.Names {
		validateName(name, r.Action, at)
	}
	if r.ErrnoRet != nil && r.Action != specs.ActErrno && r.Action != specs.ActTrace {
		at.As("errno-ignored").Warnf("errnoRet counts only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE; runc ignores it here")
	}
	if r.Action == specs.ActNotify && slices.Contains(r.Names, "write") {
		at.As("notify-write").Errorf("SCMP_ACT_NOTIFY on write; runc refuses that, since it writes to hand over the listener")
	}
	seen := make(map[uint]bool)
	for _, arg := range r.Args {
		if seen[arg.Index] {
			at.As("either-condition").Warnf("has two conditions on argument %d; runc makes each a rule of its own, so either is enough", arg.Index)
		}
		seen[arg.Index] = true
		if arg.Op == specs.OpMaskedEqual && arg.ValueTwo&^arg.Value != 0 {
			at.As("outside-mask").Warnf("the condition on argument %d wants bits outside its mask; libseccomp ignores them", arg.Index)
		}
		if neverMatches(arg) {
			at.As("never-matches").Warnf("the condition on argument %d can never match; the rule does nothing", arg.Index)
		}
	}
}

// validateName reports names that runtimes skip. Under an action that allows
// only likely misspellings are worth a word.
func validateName(name string, action specs.LinuxSeccompAction, at document.Node) {
	if name == "" {
		return
	}
	if _, known := lookup(name); known {
		return
	}
	suggestion := document.Suggest(name, syscallNames())
	switch {
	case !permits(action):
		at.As("unknown-syscall").Warnf("unknown syscall %q: runtimes skip it, so the rule denies nothing by that name%s", name, suggestion)
	case suggestion != "":
		at.As("unknown-syscall").Warnf("unknown syscall %q: runtimes skip it%s", name, suggestion)
	}
}

func syscallNames() []string {
	names := make([]string, len(syscallTable))
	for i, s := range syscallTable {
		names[i] = s.name
	}
	return names
}

// permits reports whether action lets the call through.
func permits(action specs.LinuxSeccompAction) bool {
	return action == specs.ActAllow || action == specs.ActLog
}

// effect is what libseccomp is told for an action: the errno matters for two.
func effect(action specs.LinuxSeccompAction, errno *uint) (specs.LinuxSeccompAction, uint) {
	if action == specs.ActKill {
		action = specs.ActKillThread
	}
	if action != specs.ActErrno && action != specs.ActTrace {
		return action, 0
	}
	if errno == nil {
		return action, ePerm // runtime-spec's default
	}
	return action, *errno
}

// skipped reports whether runc leaves r out because it says the default again.
func (p *Profile) skipped(r rule) bool {
	action, errno := effect(r.Action, r.ErrnoRet)
	defaultAction, defaultErrno := effect(p.seccomp.DefaultAction, p.seccomp.DefaultErrnoRet)
	return action == defaultAction && errno == defaultErrno
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

// validateOverlaps reports pairs of rules on one syscall with different
// actions that one call can meet, once for each later rule.
func (p *Profile) validateOverlaps(places []document.Node) {
	byName := make(map[string][]int)
	for i, r := range p.rules {
		if p.skipped(r) {
			continue
		}
		var clashes []string
		for _, name := range r.Names {
			for _, j := range byName[name] {
				if p.clash(p.rules[j], r) {
					clashes = append(clashes, name)
					break
				}
			}
			byName[name] = append(byName[name], i)
		}
		if len(clashes) > 0 {
			places[i].As("overlap").Warnf("another rule on %s with a different action matches the same calls; libseccomp does not say which wins", strings.Join(clashes, ", "))
		}
	}
}

// clash reports whether a and b differ in effect and can both meet one call.
func (p *Profile) clash(a, b rule) bool {
	actionA, errnoA := effect(a.Action, a.ErrnoRet)
	actionB, errnoB := effect(b.Action, b.ErrnoRet)
	if actionA == actionB && errnoA == errnoB || exclusive(a, b) || exclusive(b, a) {
		return false
	}
	for _, x := range a.Args {
		for _, y := range b.Args {
			if x.Index == y.Index && disjoint(x, y) {
				return false
			}
		}
	}
	return true
}

// exclusive reports whether b cannot count where a does.
func exclusive(a, b rule) bool {
	hit := func(list, other []string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(other, s) })
	}
	return hit(a.includes.caps, b.excludes.caps) ||
		len(a.includes.arches) > 0 && len(b.includes.arches) > 0 && !hit(a.includes.arches, b.includes.arches)
}

// disjoint reports whether no value meets both conditions, as far as that
// shows without search.
func disjoint(x, y specs.LinuxSeccompArg) bool {
	if neverMatches(x) || neverMatches(y) {
		return true
	}
	mx, vx, okx := cube(x)
	my, vy, oky := cube(y)
	if okx && oky {
		return (vx^vy)&mx&my != 0
	}
	if x.Op == specs.OpNotEqual || y.Op == specs.OpNotEqual {
		return x.Value == y.Value && (x.Op == specs.OpEqualTo || y.Op == specs.OpEqualTo)
	}
	if x.Op == specs.OpMaskedEqual || y.Op == specs.OpMaskedEqual {
		return false
	}
	lowX, highX := interval(x)
	lowY, highY := interval(y)
	return highX < lowY || highY < lowX
}

// cube is the condition as value & mask == datum. For MASKED_EQ runtime-spec's
// value is the mask and valueTwo what must be left; of that libseccomp takes the
// bits in the mask.
func cube(a specs.LinuxSeccompArg) (mask, datum uint64, ok bool) {
	switch a.Op {
	case specs.OpEqualTo:
		return math.MaxUint64, a.Value, true
	case specs.OpMaskedEqual:
		return a.Value, a.ValueTwo & a.Value, true
	}
	return 0, 0, false
}

// interval is the condition as low <= value <= high, for the operators that
// order; neverMatches has been asked before.
func interval(a specs.LinuxSeccompArg) (low, high uint64) {
	switch a.Op {
	case specs.OpEqualTo:
		return a.Value, a.Value
	case specs.OpLessThan:
		return 0, a.Value - 1
	case specs.OpLessEqual:
		return 0, a.Value
	case specs.OpGreaterEqual:
		return a.Value, math.MaxUint64
	default:
		return a.Value + 1, math.MaxUint64
	}
}
