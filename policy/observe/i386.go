package observe

import (
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// separate makes rules on one of i386's multiplexers that come before the rules that
// libseccomp puts there by itself. Of a rule on socket it takes the condition on the first
// argument away: there a rule that allows some families and one that notifies of the others
// say two things of the same call, and libseccomp refuses them. A shorter rule replaces both,
// if each of them has a condition more; so they get one that always holds.
func (o *observing) separate(by string) {
	if slices.ContainsFunc(o.front, func(f frontRule) bool { return f.name == by }) {
		o.give(by)
		return
	}
	for _, name := range o.names {
		behind := syscalls.Multiplexed[name]
		if behind.By != by || !conditional(o.changed[name]) {
			continue
		}
		w := o.work.One()
		slice, clear := o.own.Slice(by, behind.Call)
		outcome, whole := slice.Constant(&w)
		outcome = o.notified(outcome)
		longer, ok := lengthen(o.changed[name])
		if !clear || !whole || !ok || outcome == o.otherwise {
			o.keep(name, whyRules)
			continue
		}
		o.changed[name] = longer
		o.front = append(o.front, frontRule{by, semantics.Clause{Conds: semantics.MultiplexedConditions(behind, nil), Outcome: outcome}})
	}
	if !slices.ContainsFunc(o.front, func(f frontRule) bool { return f.name == by }) {
		o.give(by)
	}
}

// give leaves the calls behind a multiplexer to the profile's own rules, first those with
// conditions, and then all.
func (o *observing) give(by string) {
	o.front = slices.DeleteFunc(o.front, func(f frontRule) bool { return f.name == by })
	some := false
	for _, all := range []bool{false, true} {
		for _, name := range o.names {
			mine := syscalls.Multiplexed[name].By == by || name == by
			if clauses := o.changed[name]; mine && clauses != nil && (all || conditional(clauses)) {
				o.keep(name, whyRules)
				some = true
			}
		}
		if some {
			return
		}
	}
}

func conditional(clauses []semantics.Clause) bool {
	return slices.ContainsFunc(clauses, func(c semantics.Clause) bool { return len(c.Conds) > 0 })
}

// lengthen gives each rule a last condition that always holds; ok is false where libseccomp
// would misread them.
func lengthen(clauses []semantics.Clause) (out []semantics.Clause, ok bool) {
	for _, c := range clauses {
		if n := len(c.Conds); n == 0 || c.Conds[n-1].Index == semantics.Tail.Index {
			return nil, false
		}
		c.Conds = append(slices.Clip(c.Conds), semantics.Tail)
		out = append(out, c)
	}
	return out, !semantics.Entangled(out)
}

// openMultiplexers lets i386's multiplexers through, where the profile does not list i386 and
// nothing is judged there: so no rules meet that libseccomp refuses.
func (o *observing) openMultiplexers() {
	open := semantics.Allow
	if o.otherwise == open {
		open = semantics.Log
	}
	for _, by := range semantics.MultiplexerNames {
		if len(o.own.Clauses[by]) == 0 && has(specs.ArchX86, by) {
			o.front = append(o.front, frontRule{by, semantics.Clause{Outcome: open}})
		}
	}
}
