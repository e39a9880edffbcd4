package semantics

import (
	"cmp"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics/region"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// MultiplexerNames are the system calls of i386 through which programs make others.
var MultiplexerNames = []string{"socketcall", "ipc"}

func IsMultiplexer(name string) bool { return slices.Contains(MultiplexerNames, name) }

// Slice returns f for one value of argument 0, as a function of the others.
func (f Function) Slice(value uint64) Function {
	out := Function{Whole: f.Whole, Otherwise: f.Otherwise}
	for _, p := range f.Pieces {
		if _, ok := p.box[0].Intersect(region.Values{Low: value, High: value}); ok {
			p.box[0] = f.Whole
			out.Pieces = append(out.Pieces, p)
		}
	}
	return out
}

// Leave returns f with the outcome otherwise for one value of argument 0.
func (f Function) Leave(value uint64, otherwise Outcome) Function {
	at := region.Everything(f.Whole)
	at[0] = region.Values{Low: value, High: value}
	out := Function{Whole: f.Whole, Otherwise: f.Otherwise, Pieces: []piece{{at, otherwise}}}
	for _, p := range f.Pieces {
		for _, b := range p.box.Minus(at) {
			out.Pieces = append(out.Pieces, piece{b, p.Outcome})
		}
	}
	return out
}

// Constant returns the one outcome of f. If f has several, it returns the strictest, and
// exact is false.
func (f Function) Constant(w *Budget) (o Outcome, exact bool) {
	pieces := f.Pieces
	if len(pieces) == 0 {
		return f.Otherwise, true
	}
	o, exact = pieces[0].Outcome, true
	if w.reaches(region.Everything(f.Whole), pieces) {
		pieces = append(slices.Clip(pieces), piece{Outcome: f.Otherwise})
	}
	for _, p := range pieces {
		exact = exact && p.Outcome == o
		if p.Outcome.Order < o.Order {
			o = p.Outcome
		}
	}
	return o, exact
}

// Slice returns what the rules on a multiplexer mean for one of the calls behind it.
func (m *Meaning) Slice(by string, call uint64) (f Function, clear bool) {
	var here []Clause
	for _, c := range m.multiplexer(by) {
		c.Conds = region.Visible(region.All32, c.Conds)
		if len(c.Conds) == 0 || c.Conds[0].Index != 0 || slices.ContainsFunc(region.Accepted(region.All32, c.Conds[0]), func(v region.Values) bool {
			_, ok := v.Intersect(region.Values{Low: call, High: call})
			return ok
		}) {
			here = append(here, c)
		}
	}
	f, clear = m.function(specs.ArchX86, here)
	return f.Slice(call), clear
}

// MultiplexedConditions returns the conditions that libseccomp puts on the multiplexer
// for a rule on a call behind it: the call's number on argument 0, in place of any
// condition there. The others are kept, although they look at a pointer then.
func MultiplexedConditions(b syscalls.Multiplex, conds []specs.LinuxSeccompArg) []specs.LinuxSeccompArg {
	out := []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: b.Call}}
	for _, c := range conds {
		if c.Index != 0 {
			out = append(out, c)
		}
	}
	return out
}

// multiplexer returns the rules that libseccomp puts on socketcall or ipc: the rules that
// name it, and the rules on each call behind it, with the call's number in place of the
// condition on argument 0.
func (m *Meaning) multiplexer(by string) []Clause {
	out := slices.Clone(m.Clauses[by])
	for name, behind := range syscalls.Multiplexed {
		if behind.By != by {
			continue
		}
		for _, c := range m.Clauses[name] {
			out = append(out, Clause{c.place, MultiplexedConditions(behind, c.Conds), c.Outcome})
		}
	}
	slices.SortStableFunc(out, func(a, b Clause) int { return cmp.Compare(a.place, b.place) })
	return out
}
