package semantics

import (
	"slices"

	"github.com/batten-runtime/batten/policy/semantics/region"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What a call that is let through meets.
var (
	Allowed = Outcome{Order: orderAllow}
	Logged  = Outcome{Order: orderLog}
)

// Edits change what a profile does with some calls. A rule says what it says: conditions of one
// rule must all hold, two on one argument included, and no rule hides another. So a profile's
// rules of the same words can mean something else, see quirks.go.
type Edits struct {
	// Allow are rules for calls that are allowed. Their actions do not count.
	Allow []specs.LinuxSyscall
	// Deny are rules for calls that fail with the rule's errno, also where Allow allows them. A
	// call that the profile treats stricter stays as it is. Of two rules the first counts.
	Deny []specs.LinuxSyscall
}

// Names returns the calls of the edits, each once, in the order in which they are written.
func (e Edits) Names() (out []string) {
	for _, rule := range slices.Concat(e.Allow, e.Deny) {
		for _, name := range rule.Names {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// Encode returns one profile with all rules, by which edits can be compared.
func (e Edits) Encode() specs.LinuxSeccomp {
	var s specs.LinuxSeccomp
	for _, rule := range e.Allow {
		rule.Action, rule.ErrnoRet = specs.ActAllow, nil
		s.Syscalls = append(s.Syscalls, rule)
	}
	for _, rule := range e.Deny {
		rule.Action = specs.ActErrno
		s.Syscalls = append(s.Syscalls, rule)
	}
	return s
}

// Edit returns f, which is what becomes of a call on arch, with the edits.
//
// On i386 a program can make some calls through socketcall and ipc, where their arguments are in
// memory. There a denial by arguments denies the whole call, and an allowance by arguments allows
// nothing.
func (w *Budget) Edit(f Function, arch specs.Arch, name string, e Edits) Function {
	for _, rule := range e.Allow {
		for _, b := range editBoxes(arch, name, rule, false) {
			f = w.within(f, b, func(Outcome) Outcome { return Allowed })
		}
	}
	var before []piece // of rules that come earlier
	for _, rule := range e.Deny {
		o, _ := outcomeOf(specs.ActErrno, rule.ErrnoRet)
		for _, b := range editBoxes(arch, name, rule, true) {
			for _, part := range w.outside(b, before) {
				f = w.within(f, part, func(own Outcome) Outcome { return Together(own, o) })
				before = append(before, piece{part, o})
			}
		}
	}
	return f
}

// versioned are the calls through ipc with a version in the high half of argument 0, which the
// kernel cuts off (ipc/syscall.c): any call could hide there.
var versioned = []specs.LinuxSeccompArg{{Op: specs.OpGreaterThan, Value: 1<<16 - 1}}

// editBoxes returns the calls on arch, by that name, that a rule is for.
func editBoxes(arch specs.Arch, name string, rule specs.LinuxSyscall, deny bool) (out []region.Box) {
	all := whole(arch)
	for _, named := range rule.Names {
		if named == name {
			return append(out, boxesOf(all, rule.Args)...)
		}
		behind, multiplexed := syscalls.Multiplexed[named]
		if arch == specs.ArchX86 && multiplexed && behind.By == name && (deny || len(rule.Args) == 0) {
			out = append(out, boxesOf(all, []specs.LinuxSeccompArg{{Op: specs.OpEqualTo, Value: behind.Call}})...)
			if deny && name == "ipc" {
				out = append(out, boxesOf(all, versioned)...)
			}
		}
	}
	return out
}

// boxesOf returns the calls that meet all conditions, of which several may be on one argument. Of
// 32-bit programs the low halves of values and masks count, as in all profiles.
func boxesOf(all region.Values, conds []specs.LinuxSeccompArg) []region.Box {
	out := []region.Box{region.Everything(all)}
	for _, c := range region.Visible(all, conds) {
		var next []region.Box
		for _, v := range region.Accepted(all, c) {
			for _, b := range out {
				if both, ok := b[c.Index].Intersect(v); ok {
					b[c.Index] = both
					next = append(next, b)
				}
			}
		}
		out = next
	}
	return out
}

// within returns f with other outcomes in a box. Where all of the box has one outcome then, the box
// stays whole: cut along the boxes of f, it would need more rules.
func (w *Budget) within(f Function, b region.Box, change func(Outcome) Outcome) Function {
	out := Function{Whole: f.Whole, Otherwise: f.Otherwise}
	add := func(b region.Box, o Outcome) {
		if o != out.Otherwise {
			out.Pieces = append(out.Pieces, piece{b, o})
		}
	}
	var inside []piece
	for _, p := range f.Pieces {
		both, ok := p.box.Intersect(b)
		if w.use(2); w.Spent() {
			return out
		}
		if !ok {
			add(p.box, p.Outcome)
			continue
		}
		for _, rest := range p.box.Minus(b) {
			add(rest, p.Outcome)
		}
		inside = append(inside, piece{both, change(p.Outcome)})
	}
	for _, part := range w.outside(b, f.Pieces) {
		inside = append(inside, piece{part, change(f.Otherwise)})
	}
	if len(inside) == 0 || w.Spent() {
		return out
	}
	if first := inside[0].Outcome; !slices.ContainsFunc(inside, func(p piece) bool { return p.Outcome != first }) {
		add(b, first)
		return out
	}
	for _, p := range inside {
		add(p.box, p.Outcome)
	}
	return out
}
