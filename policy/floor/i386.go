package floor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// multiplexers makes the rules on socketcall and ipc, which only i386 has. libseccomp puts a
// rule on a call behind them there by itself, with the call's number in place of the rule's
// condition on argument 0. A rule before it that compares that number alone makes
// libseccomp drop it. why is not empty if i386 must be left out.
func (m *flooring) multiplexers() (why string) {
	given := make(map[string][]string)
	for range 2 { // rules on one multiplexer move the stub's bound for the other
		for _, by := range semantics.MultiplexerNames {
			if !slices.ContainsFunc(m.front, func(f frontRule) bool { return f.name == by }) {
				w := m.work.One()
				want, _, _, _ := m.want(&w, specs.ArchX86, by)
				given[by] = m.multiplexer(&w, by, want)
				m.read = nil
			}
		}
	}
	for _, by := range semantics.MultiplexerNames {
		w := m.work.One()
		want, _, _, _ := m.want(&w, specs.ArchX86, by)
		got, clear := m.result().On(specs.ArchX86, by)
		if !clear || w.Looser(got, want) || w.Spent() {
			return "no rules can express " + by + " there"
		}
		if len(given[by]) > 0 {
			m.note("on i386 through %s: %s", by, strings.Join(given[by], "; "))
		}
	}
	return ""
}

// multiplexer adds the rules on one multiplexer that come before all others, and returns
// where they are stricter than wanted.
func (m *flooring) multiplexer(w *semantics.Budget, by string, want semantics.Function) (given []string) {
	induced, clear := m.result().On(specs.ArchX86, by)
	if clear && m.alike(w, induced, want) {
		return nil
	}
	if o, ok := want.Constant(w); ok {
		said, gives := m.sayable(o)
		m.front = append(m.front, frontRule{by, semantics.Clause{Outcome: said}})
		if gives != "" {
			given = append(given, "its calls "+gives)
		}
		return given
	}
	rest := want
	for _, call := range callsBehind(by) {
		if len(m.explicit[call.name]) == 0 {
			continue // libseccomp puts no rule there by itself
		}
		rest = rest.Leave(call.number, m.otherwise)
		here := want.Slice(call.number)
		there, clear := m.result().Slice(by, call.number)
		if clear && m.alike(w, here, there) {
			continue
		}
		o, exact := here.Constant(w)
		said, gives := m.sayable(o)
		switch {
		case !exact && !o.Denies():
			given = append(given, call.name+" is logged whatever its arguments")
		case !exact:
			given = append(given, call.name+" is denied whatever its arguments")
		case gives != "":
			given = append(given, call.name+" "+gives)
		}
		m.front = append(m.front, frontRule{by, semantics.Clause{Conds: semantics.MultiplexedConditions(syscalls.Multiplex{By: by, Call: call.number}, nil), Outcome: said}})
		m.lengthen(call.name)
	}
	for _, c := range w.Express(rest, m.otherwise) {
		m.front = append(m.front, frontRule{by, c})
	}
	return given
}

// alike reports whether two functions do the same; of a union, but for errnos.
func (m *flooring) alike(w *semantics.Budget, f, g semantics.Function) bool {
	return w.Same(f, g) || m.union && !w.Somewhere(f, g, unlike)
}

// lengthen adds to each rule on a call behind a multiplexer a condition on its last argument
// that always holds. The rule before them is then the shorter one, which libseccomp keeps.
func (m *flooring) lengthen(name string) {
	clauses := slices.Clone(m.explicit[name])
	for i, c := range clauses {
		if n := len(c.Conds); n > 0 && c.Conds[n-1].Index != semantics.Tail.Index {
			clauses[i].Conds = append(slices.Clip(c.Conds), semantics.Tail)
		}
	}
	if !semantics.Entangled(clauses) { // else verify leaves i386 out
		m.explicit[name] = clauses
	}
}

type behind struct {
	number uint64
	name   string
}

func callsBehind(by string) (out []behind) {
	for _, name := range slices.Sorted(maps.Keys(syscalls.Multiplexed)) {
		if b := syscalls.Multiplexed[name]; b.By == by {
			out = append(out, behind{b.Call, name})
		}
	}
	slices.SortFunc(out, func(a, b behind) int { return int(a.number) - int(b.number) })
	return out
}

// sayable returns an outcome that a rule can have: o, or one that is no looser. runc skips
// a rule that repeats the default: then it is o with another errno, or a stricter action.
func (m *flooring) sayable(o semantics.Outcome) (said semantics.Outcome, gives string) {
	switch {
	case o != m.otherwise:
		return o, ""
	case (m.edits != nil || m.union) && o == semantics.Allowed:
		return semantics.Logged, "are logged"
	case o.Order == semantics.OrderErrno && o.Data == semantics.ENosys:
		return semantics.Outcome{Order: semantics.OrderErrno, Data: semantics.EPerm}, fmt.Sprintf("fail with errno %d, not %d", semantics.EPerm, o.Data)
	case o.Order == semantics.OrderErrno:
		return semantics.Enosys, fmt.Sprintf("fail with errno %d, not %d", semantics.ENosys, o.Data)
	case o.Order == semantics.OrderKillProcess:
		return o, "" // nothing is stricter: verify leaves i386 out
	}
	return semantics.Outcome{Order: semantics.OrderKillProcess}, "kill the process"
}
