package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// multiplexerNames are i386's system calls through which it makes others.
var multiplexerNames = []string{"socketcall", "ipc"}

func isMultiplexer(name string) bool { return slices.Contains(multiplexerNames, name) }

// multiplexers makes the rules on socketcall and ipc, which only i386 has.
// Rules on the calls behind them come there by themselves, with the call's
// number in place of their condition on argument 0; a rule in front on that
// number alone makes libseccomp drop them. It returns why i386 must be left
// out, if it must.
func (m *flooring) multiplexers() (why string) {
	given := make(map[string][]string)
	for range 2 { // rules on one move the stub's bound for the other
		for _, by := range multiplexerNames {
			if !slices.ContainsFunc(m.front, func(f frontRule) bool { return f.name == by }) {
				w := budget{left: maxWork}
				want, _, _, _ := m.want(&w, specs.ArchX86, by)
				given[by] = m.multiplexer(&w, by, want)
				m.read = nil
			}
		}
	}
	for _, by := range multiplexerNames {
		w := budget{left: maxWork}
		want, _, _, _ := m.want(&w, specs.ArchX86, by)
		got, clear := m.result().on(specs.ArchX86, by)
		if !clear || w.looser(got, want) || w.spent() {
			return "no rules can express " + by + " there"
		}
		if len(given[by]) > 0 {
			m.note("on i386 through %s: %s", by, strings.Join(given[by], "; "))
		}
	}
	return ""
}

// multiplexer puts rules in front for one multiplexer and returns what they
// give up.
func (m *flooring) multiplexer(w *budget, by string, want function) (given []string) {
	induced, clear := m.result().on(specs.ArchX86, by)
	if clear && w.same(induced, want) {
		return nil
	}
	if o, ok := want.constant(w); ok {
		said, gives := m.sayable(o)
		m.front = append(m.front, frontRule{by, clause{outcome: said}})
		if gives != "" {
			given = append(given, "its calls "+gives)
		}
		return given
	}
	rest := want
	for _, call := range callsBehind(by) {
		if len(m.explicit[call.name]) == 0 {
			continue // nothing comes there by itself
		}
		rest = rest.leave(call.number, m.otherwise)
		here := want.slice(call.number)
		there, clear := m.result().slice(by, call.number)
		if clear && w.same(here, there) {
			continue
		}
		o, exact := here.constant(w)
		said, gives := m.sayable(o)
		switch {
		case !exact:
			given = append(given, call.name+" is denied whatever its arguments")
		case gives != "":
			given = append(given, call.name+" "+gives)
		}
		m.front = append(m.front, frontRule{by, clause{conds: multiplex{by, call.number}.conditions(nil), outcome: said}})
		m.lengthen(call.name)
	}
	for _, c := range w.express(rest, m.otherwise) {
		m.front = append(m.front, frontRule{by, c})
	}
	return given
}

// lengthen gives each rule on a call behind a multiplexer a condition on its last
// argument, one that always holds. The rule in front of them is then the shorter
// one, which stays.
func (m *flooring) lengthen(name string) {
	clauses := slices.Clone(m.explicit[name])
	for i, c := range clauses {
		if n := len(c.conds); n > 0 && c.conds[n-1].Index != tail.Index {
			clauses[i].conds = append(slices.Clip(c.conds), tail)
		}
	}
	if !entangled(clauses) { // else i386 will be found wrong
		m.explicit[name] = clauses
	}
}

type behind struct {
	number uint64
	name   string
}

func callsBehind(by string) (out []behind) {
	for _, name := range slices.Sorted(maps.Keys(multiplexed)) {
		if b := multiplexed[name]; b.by == by {
			out = append(out, behind{b.call, name})
		}
	}
	slices.SortFunc(out, func(a, b behind) int { return int(a.number) - int(b.number) })
	return out
}

// sayable is an outcome that a rule can have: runc skips one that repeats the
// default, so another errno must do, or something stricter.
func (m *flooring) sayable(o outcome) (said outcome, gives string) {
	switch {
	case o != m.otherwise:
		return o, ""
	case o.order == orderErrno && o.data == eNosys:
		return outcome{orderErrno, ePerm}, fmt.Sprintf("fail with errno %d, not %d", ePerm, o.data)
	case o.order == orderErrno:
		return enosys, fmt.Sprintf("fail with errno %d, not %d", eNosys, o.data)
	case o.order == orderKillProcess:
		return o, "" // nothing is stricter: i386 will be left out
	}
	return outcome{order: orderKillProcess}, "kill the process"
}

// slice is f for one value of argument 0, as a function of the others.
func (f function) slice(value uint64) function {
	out := function{whole: f.whole, otherwise: f.otherwise}
	for _, p := range f.pieces {
		if _, ok := p.box[0].intersect(values{low: value, high: value}); ok {
			p.box[0] = f.whole
			out.pieces = append(out.pieces, p)
		}
	}
	return out
}

// leave is f with one value of argument 0 left to a default.
func (f function) leave(value uint64, otherwise outcome) function {
	at := everything(f.whole)
	at[0] = values{low: value, high: value}
	out := function{whole: f.whole, otherwise: f.otherwise, pieces: []piece{{at, otherwise}}}
	for _, p := range f.pieces {
		for _, b := range p.minus(at) {
			out.pieces = append(out.pieces, piece{b, p.outcome})
		}
	}
	return out
}

// constant is the one outcome of f; where it has several it is the strictest,
// and exact is false.
func (f function) constant(w *budget) (o outcome, exact bool) {
	pieces := f.pieces
	if len(pieces) == 0 {
		return f.otherwise, true
	}
	o, exact = pieces[0].outcome, true
	if w.reaches(everything(f.whole), pieces) {
		pieces = append(slices.Clip(pieces), piece{outcome: f.otherwise})
	}
	for _, p := range pieces {
		exact = exact && p.outcome == o
		if p.outcome.order < o.order {
			o = p.outcome
		}
	}
	return o, exact
}

// slice is what the rules on a multiplexer mean for one of its calls.
func (m *meaning) slice(by string, call uint64) (f function, clear bool) {
	var here []clause
	for _, c := range m.multiplexer(by) {
		c.conds = visible(specs.ArchX86, c.conds)
		if len(c.conds) == 0 || c.conds[0].Index != 0 || slices.ContainsFunc(accepted(all32, c.conds[0]), func(v values) bool {
			_, ok := v.intersect(values{low: call, high: call})
			return ok
		}) {
			here = append(here, c)
		}
	}
	f, clear = m.function(specs.ArchX86, here)
	return f.slice(call), clear
}
