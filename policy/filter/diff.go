package filter

import (
	"fmt"
	"strings"
)

// Change is a set of calls with which one filter does something else than another.
type Change struct {
	// Kind is Allows if the second filter allows the calls and the first does not,
	// Denies for the reverse, and Differs if they end another way. It is Loads for a flag
	// that only one of the filters is loaded with: then Flag names it, and there is no
	// call.
	Kind string `json:"kind"`
	Flag string `json:"flag,omitempty"`
	// Arch is as in [Witness]; Syscall is the call's name, or its numbers.
	Arch    string `json:"arch,omitempty"`
	Syscall string `json:"syscall,omitempty"`
	// When says for which arguments; empty for all.
	When string `json:"when,omitempty"`
	// Witness is one such call.
	Witness *Witness `json:"witness,omitempty"`
}

// Kinds of changes.
const (
	Allows  = "allows"
	Denies  = "denies"
	Differs = "differs"
	Loads   = "loads"
)

// Diff returns where b differs from a. It returns nothing if they are equal.
func Diff(a, b Stack) (changes []Change, err error) {
	defer limited(&err)
	t, err := tabulate(a, b)
	if err != nil {
		return nil, err
	}
	for _, c := range t.cells {
		first, second := c.values[0], c.values[1]
		allows, denies := t.apply(opAllowed, first, second), t.apply(opAllowed, second, first)
		differs := t.ite(allows, no, t.ite(denies, no, t.apply(opDiffer, first, second)))
		for _, kind := range []struct {
			name string
			when ref
		}{{Allows, allows}, {Denies, denies}, {Differs, differs}} {
			if kind.when != no {
				changes = append(changes, t.changes(c, kind.name, kind.when)...)
			}
		}
	}
	return append(changes, flagChanges(a, b)...), nil
}

// changes returns a change of a cell, once for each name in it.
func (t *table) changes(c cell, kind string, when ref) (out []Change) {
	w := t.witness(c, when, c.values[0], c.values[1])
	change := Change{Kind: kind, Arch: w.Arch, When: t.words(when), Witness: w}
	for nr := c.nr; nr <= c.last && nr-c.nr < 1024 && !c.other; nr++ {
		if name := syscallName(c.arch, nr); name != "" {
			named := *w
			named.Call.Nr, named.Syscall = nr, name
			change.Syscall, change.Witness = name, &named
			out = append(out, change)
		}
	}
	if len(out) == 0 {
		change.Syscall = fmt.Sprintf("%#x", c.nr)
		if c.last != c.nr {
			change.Syscall += fmt.Sprintf(" to %#x", c.last)
		}
		out = append(out, change)
	}
	return out
}

// maxCases is how many sets of arguments are listed; more are summed up.
const maxCases = 4

// words returns for which arguments a predicate holds, as masks and values. It describes
// the predicate or its opposite, whichever is shorter.
func (t *table) words(when ref) string {
	if when == yes {
		return ""
	}
	is, isNot := t.cases(when), t.cases(t.ite(when, no, yes))
	switch {
	case len(isNot) < len(is) && len(isNot) <= maxCases:
		return "unless " + strings.Join(isNot, " or ")
	case len(is) <= maxCases:
		return "where " + strings.Join(is, " or ")
	}
	return "where " + strings.Join(is[:maxCases], " or ") + " or others"
}

// cases returns conjunctions that together are the predicate. It stops a few after
// maxCases.
func (t *table) cases(when ref) (out []string) {
	var mask, value Call
	var follow func(f ref)
	follow = func(f ref) {
		n := t.nodes[f]
		if f == no || len(out) > maxCases {
			return
		}
		if f == yes {
			out = append(out, conjunction(mask, value))
			return
		}
		word, bit := wordAt(n.level)
		was, had := mask.Word(4*word), value.Word(4*word)
		mask.SetWord(4*word, was|1<<bit)
		follow(n.zero)
		value.SetWord(4*word, had|1<<bit)
		follow(n.one)
		mask.SetWord(4*word, was)
		value.SetWord(4*word, had)
	}
	follow(when)
	return out
}

func conjunction(mask, value Call) string {
	var terms []string
	for i := range mask.Args {
		switch m := mask.Args[i]; {
		case m == ^uint64(0) || m == 0xffffffff && value.Args[i] != 0:
			terms = append(terms, fmt.Sprintf("arg%d == %#x", i, value.Args[i]))
		case m != 0:
			terms = append(terms, fmt.Sprintf("arg%d & %#x == %#x", i, m, value.Args[i]))
		}
	}
	return strings.Join(terms, " and ")
}
