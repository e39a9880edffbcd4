package policy

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/semantics/region"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// maxFrom is how many profiles may be made one from another.
const maxFrom = 8

// maxAlternatives is how many rules one rule may stand for.
const maxAlternatives = 512

// made reads a profile that is made from another. Which one that is, follow finds out.
func (r *reader) made(n, from, allow, deny document.Node) *source {
	out := &made{from: from.String(), at: n.Place()}
	if !allow.IsZero() {
		out.edits.Allow = r.edits(allow, allowType, specs.ActAllow)
	}
	if !deny.IsZero() {
		out.edits.Deny = r.edits(deny, denyType, specs.ActErrno)
	}
	rules := out.edits.Encode()
	if err := semantics.CheckSize(&rules); err != nil {
		n.Errorf("%v", err)
	}
	if out.from == Unconfined && !allow.IsZero() {
		allow.Warnf("allows nothing more, since %s allows all", Unconfined)
	}
	return &source{made: out}
}

// edits reads the rules of allow or deny.
func (r *reader) edits(n document.Node, t *document.Type, action specs.LinuxSeccompAction) (out []specs.LinuxSyscall) {
	before := n.Errors()
	var at []document.Node // where each rule of out stands
	items := n.Items()
	if n.IsList() && len(items) == 0 {
		n.Errorf("is an empty list; leave the key out")
	}
	for _, item := range items {
		for _, rule := range r.edit(item, t) {
			rule.Action = action
			out, at = append(out, rule), append(at, item)
		}
	}
	if n.Errors() > before {
		return out
	}
	s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: out}
	if action == specs.ActAllow {
		s.DefaultAction = specs.ActErrno
	}
	found, err := semantics.PassedByHighBits(&s)
	if err != nil {
		n.Errorf("%v", err)
	}
	for _, h := range found {
		at[h.Rule].As("high-bits").Errorf("%v; width: %d does that for an int", h, lowBits)
	}
	return out
}

// edit reads one rule, which stands for several where conditions of 32 bits order values.
func (r *reader) edit(n document.Node, t *document.Type) []specs.LinuxSyscall {
	before := n.Errors()
	var names, args, errno document.Node
	visitors := map[string]func(document.Node){"names": keepNode(&names), "args": keepNode(&args)}
	if t == denyType {
		visitors["errno"] = keepNode(&errno)
	}
	n.Fields(t, visitors)
	if n.Errors() > before {
		return nil
	}
	var rule specs.LinuxSyscall
	items := names.Items()
	if names.IsList() && len(items) == 0 {
		names.Errorf("is an empty list; name a system call")
	}
	for _, item := range items {
		name := item.String()
		if _, known := syscalls.Arches(name); name != "" && !known {
			item.Errorf("no system call is known as %q%s", name, document.Suggest(name, profile.SyscallNames()))
		}
		rule.Names = append(rule.Names, name)
	}
	if !errno.IsZero() {
		if v := profile.Errno(errno.Word()); v != 0 {
			rule.ErrnoRet = &v
		}
	}
	if args.IsZero() || n.Errors() > before {
		return []specs.LinuxSyscall{rule}
	}
	return conditional(n, args, rule)
}

// conditional returns a rule with its conditions.
func conditional(n, args document.Node, rule specs.LinuxSyscall) []specs.LinuxSyscall {
	alternatives := [][]specs.LinuxSeccompArg{nil}
	items := args.Items()
	if args.IsList() && len(items) == 0 {
		args.Errorf("is an empty list; leave the key out where the whole call is meant")
	}
	for _, item := range items {
		conds, holds := condition(item, rule.Names)
		if holds {
			continue
		}
		var next [][]specs.LinuxSeccompArg
		for _, before := range alternatives {
			for _, c := range conds {
				next = append(next, append(slices.Clip(before), c))
			}
		}
		if alternatives = next; len(alternatives) > maxAlternatives {
			n.Errorf("its conditions stand for more than %d rules; give it fewer that order values", maxAlternatives)
			return nil
		}
	}
	var out []specs.LinuxSyscall
	for _, conds := range alternatives {
		one := rule
		one.Args = conds
		out = append(out, one)
	}
	return out
}

// condition reads a condition. One of those that it returns must hold for it; holds is set if it
// always does.
func condition(n document.Node, names []string) (out []specs.LinuxSeccompArg, holds bool) {
	before := n.Errors()
	var c specs.LinuxSeccompArg
	var value, two, width document.Node
	n.Fields(editArgType, map[string]func(document.Node){
		"index":    func(v document.Node) { c.Index = uint(v.Uint(32)) },
		"op":       func(v document.Node) { c.Op = specs.LinuxSeccompOperator(v.Word()) },
		"value":    keepNode(&value),
		"valueTwo": keepNode(&two),
		"width":    keepNode(&width),
	})
	switch {
	case n.Errors() > before:
		return nil, false
	case c.Index > 5:
		n.Errorf("argument %d does not exist; a syscall has arguments 0 to 5", c.Index)
		return nil, false
	case !width.IsZero() && width.Uint(64) != lowBits:
		width.Errorf("write %d, or leave it out to compare all 64 bits", lowBits)
		return nil, false
	}
	c.Value = number(value, names, c)
	if !two.IsZero() {
		c.ValueTwo = number(two, names, c)
		if c.Op != specs.OpMaskedEqual {
			two.Errorf("counts for %s alone", specs.OpMaskedEqual)
		}
	}
	if c.Op == specs.OpMaskedEqual && c.ValueTwo&^c.Value != 0 {
		n.Errorf("wants bits outside its mask, which no call has there")
	}
	if c.Op == specs.OpMaskedEqual && two.IsZero() {
		n.Warnf("matches calls with none of these bits, since valueTwo is left out; write valueTwo as well")
	}
	if slices.Contains(names, "ipc") && c.Index == 0 && (c.Op != specs.OpMaskedEqual || c.Value > syscalls.IPCCalls) {
		n.Warnf("misses calls: the kernel takes the call behind ipc from the low 16 bits, and programs may set the others; write op %s with value %#x", specs.OpMaskedEqual, syscalls.IPCCalls)
	}
	if width.IsZero() {
		return []specs.LinuxSeccompArg{c}, false
	}
	if max(c.Value, c.ValueTwo) > math.MaxUint32 {
		n.Errorf("compares with more than the %d bits of its width", lowBits)
	}
	if out, holds = region.Low32(c); len(out) == 0 && !holds && n.Errors() == before {
		n.Warnf("matches no call, and so does its rule")
	}
	return out, holds
}

// follow finds out what profiles are made from, once all of them are known.
func (r *reader) follow(from map[string]document.Node) {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		n, own := from[name], r.policy.profiles[name]
		if own == nil || own.made == nil {
			continue
		}
		if other := r.profileName(n); !isWord(other) {
			own.made.base = r.policy.profiles[other]
		}
	}
}

// circles reports profiles that are made from themselves.
func (r *reader) circles(places map[string]document.Node) {
	for _, name := range slices.Sorted(maps.Keys(places)) {
		place, way := places[name], []string{name}
		for at := name; ; {
			own := r.policy.profiles[at]
			if own == nil || own.made == nil || own.made.from == builtinProfile || own.made.from == Unconfined {
				break
			}
			if at = own.made.from; at == RuntimeDefault {
				at = r.policy.runtimeDefault
			}
			if way = append(way, at); at == name {
				place.Errorf("profile %q is made from itself (%s); write from: %s for containerd's own default", name, strings.Join(way, " from "), builtinProfile)
				break
			}
			if len(way) > maxFrom {
				place.Errorf("profile %q is made from more than %d others, one from another; write it from one of the last", name, maxFrom-1)
				break
			}
		}
	}
}
