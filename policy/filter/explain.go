package filter

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Change is what one filter does otherwise than another with some calls.
type Change struct {
	// Kind is Allows, Denies or Differs: whether the calls are newly carried
	// out, newly not, or end another way.
	Kind string `json:"kind"`
	// Arch is as in [Witness]; Syscall is the call's name, or its numbers.
	Arch    string `json:"arch"`
	Syscall string `json:"syscall"`
	// When says for which arguments; empty for all.
	When string `json:"when,omitempty"`
	// Witness is one such call.
	Witness *Witness `json:"witness"`
}

// Kinds of changes.
const (
	Allows  = "allows"
	Denies  = "denies"
	Differs = "differs"
)

// Diff is what b does otherwise than a. It is empty if they are equal.
func Diff(a, b Stack) ([]Change, error) {
	t, err := tabulate(a, b)
	if err != nil {
		return nil, err
	}
	var changes []Change
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
	return changes, nil
}

// changes is a change of a cell, once for each name in it.
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

// maxCases is how many sets of arguments are told; more are summed up.
const maxCases = 4

// words says for which arguments a predicate holds, by masks and values. It
// takes the predicate or its opposite, whichever is shorter.
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

// cases are conjunctions that together are the predicate, at most a few more
// than are told.
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
		was, had := mask.word(word), value.word(word)
		mask.set(word, was|1<<bit)
		follow(n.zero)
		value.set(word, had|1<<bit)
		follow(n.one)
		mask.set(word, was)
		value.set(word, had)
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

// Disassemble is the program as text, a line for each instruction, with the
// names of arches, syscalls and actions.
func (p *Program) Disassemble() []string {
	out := make([]string, len(p.Instructions))
	known := make([]loaded, len(p.Instructions))
	for i, in := range p.Instructions {
		k := known[i]
		text := ""
		switch in.Code {
		case codeLoad:
			k.field = in.K / 4
			text = "load " + fieldName(k.field)
		case codeAnd:
			text = fmt.Sprintf("and %#x", in.K)
		case codeJump:
			text = fmt.Sprintf("go to %d", i+1+int(in.K))
		case codeReturn:
			text = "return " + result(in.K).String()
		case codeIfEqual, codeIfGreater, codeIfAtLeast, codeIfBits:
			op := map[uint16]string{codeIfEqual: "==", codeIfGreater: ">", codeIfAtLeast: ">=", codeIfBits: "&"}[in.Code]
			text = fmt.Sprintf("if %s %#x then %d else %d", op, in.K, i+1+int(in.Jt), i+1+int(in.Jf))
			if name := k.name(in); name != "" {
				text += "  ; " + name
			}
		default:
			text = fmt.Sprintf("code %#x, jt %d, jf %d, k %#x", in.Code, in.Jt, in.Jf, in.K)
		}
		out[i] = fmt.Sprintf("%4d: %s", i, text)
		for _, next := range k.after(i, in) {
			if next.at < len(known) && known[next.at] == (loaded{}) {
				known[next.at] = next.loaded
			}
		}
	}
	return out
}

// loaded is what is known before an instruction, by one way there: the word
// loaded last and the arch.
type loaded struct{ field, arch uint32 }

// name is that of the value that an instruction compares with.
func (k loaded) name(in unix.SockFilter) (name string) {
	switch {
	case k.field == wordArch:
		_, name = abi(in.K, 0)
	case k.field == wordNr && in.Code != codeIfBits:
		name = syscallName(k.arch, in.K)
	}
	return name
}

// after is what is known where the instruction at i goes.
func (k loaded) after(i int, in unix.SockFilter) (out []struct {
	loaded
	at int
},
) {
	to := func(offset int, k loaded) {
		out = append(out, struct {
			loaded
			at int
		}{k, i + 1 + offset})
	}
	switch in.Code {
	case codeReturn:
	case codeJump:
		to(int(in.K), k)
	case codeIfEqual, codeIfGreater, codeIfAtLeast, codeIfBits:
		to(int(in.Jf), k)
		if k.field == wordArch && in.Code == codeIfEqual {
			k.arch = in.K
		}
		to(int(in.Jt), k)
	default:
		to(0, k)
	}
	return out
}

func fieldName(word uint32) string {
	half := [...]string{"low", "high"}[word%2]
	switch {
	case word == wordNr:
		return "syscall number"
	case word == wordArch:
		return "arch"
	case word < wordArgs:
		return "instruction pointer, " + half
	}
	return fmt.Sprintf("arg%d, %s half", (word-wordArgs)/2, half)
}
