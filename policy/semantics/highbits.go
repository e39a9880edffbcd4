package semantics

import (
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics/region"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// HighBits is a condition that does not do what its author means: the kernel reads fewer
// bits of the argument than the filter compares. So a call with other high bits, which is
// the same call to the kernel, gets past a strict rule or into a loose one.
type HighBits struct {
	// Rule and Arg are the places in syscalls and in the rule's args.
	Rule, Arg int
	// Names are the calls of the rule that it concerns.
	Names []string
	// Instead are conditions on the bits that the kernel reads: one rule for each of
	// them, in place of the condition, does what the author means. There are none if
	// that cannot be written, as for a rule that also names calls that read the whole
	// argument.
	Instead []specs.LinuxSeccompArg

	condition specs.LinuxSeccompArg
	width     region.Width
	strict    bool
}

func (h HighBits) String() string {
	example := h.condition.Value&h.width.Mask() | 1<<h.width.Bits
	if h.condition.Op == specs.OpGreaterThan || h.condition.Op == specs.OpGreaterEqual || h.condition.Op == specs.OpLessThan {
		example = 1 << h.width.Bits
	}
	does := "meets"
	if h.strict {
		does = "passes"
	}
	return fmt.Sprintf("the kernel reads %d bits of argument %d of %s and the filter compares 64, so %#x %s the condition %s %d; %s",
		h.width.Bits, h.condition.Index, Some(h.Names), example, does, h.condition.Op, h.condition.Value, h.remedy())
}

func (h HighBits) remedy() string {
	switch len(h.Instead) {
	case 0:
		return "write rules that compare the low bits with SCMP_CMP_MASKED_EQ, a rule for each name"
	case 1:
		c := h.Instead[0]
		return fmt.Sprintf("write op %s, value %d, valueTwo %d", c.Op, c.Value, c.ValueTwo)
	}
	return fmt.Sprintf("write %d rules with SCMP_CMP_MASKED_EQ in its place", len(h.Instead))
}

// PassedByHighBits returns the conditions of s that high bits get past, in the order of its
// rules. It is an error if runc would refuse s, or if s is too large. Only calls of 64-bit
// architectures count; on others registers have no high bits.
func PassedByHighBits(s *specs.LinuxSeccomp) ([]HighBits, error) {
	if err := CheckSize(s); err != nil {
		return nil, err
	}
	m, err := Understand(NewWork(), s, specs.ArchX86_64)
	if err != nil {
		return nil, err
	}
	var out []HighBits
	pieces := make(map[string][]judged)
	for i, rule := range s.Syscalls {
		o, _ := outcomeOf(rule.Action, rule.ErrnoRet)
		if o.Order == m.Otherwise.Order {
			continue
		}
		lists, _ := m.conditions(rule.Args) // they were read before
		for j, c := range rule.Args {
			conds := lists[min(j, len(lists)-1)]
			compared := region.Visible(region.All64, []specs.LinuxSeccompArg{c})
			if len(compared) == 0 {
				continue // a mask of no bits holds for every value
			}
			c = compared[0]
			h := HighBits{Rule: i, Arg: j, condition: c, strict: o.Order < m.Otherwise.Order}
			alike := true
			for _, name := range rule.Names {
				w := region.WidthOf(name, c.Index)
				if !w.Narrow() || !m.work.passed(w, c, h.strict) {
					alike = alike && (only32(name) || w.Narrow())
					continue
				}
				if _, known := pieces[name]; !known {
					pieces[name] = m.pieces(name)
				}
				if m.isOpen(name, pieces[name], conds, o) {
					alike = alike && (len(h.Names) == 0 || w == h.width)
					h.Names, h.width = append(h.Names, name), w
				}
			}
			if len(h.Names) == 0 {
				continue
			}
			if alike {
				h.Instead = h.width.Masked(c)
			}
			out = append(out, h)
		}
	}
	return out, m.work.Err()
}

// passed is [region.Width.Passed] within the work that is left. If none is left, it returns
// true, the careful answer.
func (w *Work) passed(of region.Width, c specs.LinuxSeccompArg, strict bool) bool {
	if w.Left -= 50; w.Left < 0 {
		return true
	}
	return of.Passed(c, strict)
}

// only32 reports whether no 64-bit architecture has the call.
func only32(name string) bool {
	on, _ := syscalls.Arches(name)
	return on&(syscalls.OnX8664|syscalls.OnAarch64) == 0
}

// pieces returns what becomes of a call by its arguments, cut into boxes. There are none if
// a rule without conditions replaces the others.
func (m *Meaning) pieces(name string) []judged {
	var rules []Clause
	for _, c := range m.Clauses[name] {
		c.Conds = region.Visible(region.All64, c.Conds)
		if len(c.Conds) == 0 {
			return nil
		}
		rules = append(rules, c)
	}
	w := m.work.One()
	f, _ := m.layers(&w, specs.ArchX86_64, rules)
	pieces := slices.Clone(f.Pieces)
	for _, b := range w.outside(region.Everything(f.Whole), f.Pieces) {
		pieces = append(pieces, piece{b, f.Otherwise})
	}
	out := make([]judged, len(pieces))
	for i, p := range pieces {
		if w.use(20); w.Spent() {
			return nil // the work is over, and its error says so
		}
		out[i] = judged{readingOf(name, p.box, nil), p.Outcome}
	}
	return out
}

// judged is a box, as the kernel reads it, with the outcome of its calls.
type judged struct {
	reading
	Outcome
}

// isOpen reports whether there are two calls that are the same to the kernel and that the
// rules treat differently: one as programs make it, and another with other high bits, which
// is treated looser. One of the two meets conds, the conditions of a rule with outcome o.
func (m *Meaning) isOpen(name string, pieces []judged, conds []specs.LinuxSeccompArg, o Outcome) bool {
	strict := o.Order < m.Otherwise.Order
	for _, b := range region.Boxes(region.All64, region.Visible(region.All64, conds)) {
		own := readingOf(name, b, conds)
		m.work.Left -= len(pieces)
		for _, p := range pieces {
			if strict && p.Order > o.Order && own.alike(p.reading) || !strict && p.Order < o.Order && p.alike(own) {
				return true
			}
		}
	}
	return false
}

// reading holds the low bits of each argument that the kernel reads: of all calls in a box
// (any), and of those that programs make (canonical).
type reading struct{ any, canonical [6][]region.Values }

// readingOf reads a box; conds are the conditions that made it, if they are known.
func readingOf(name string, b region.Box, conds []specs.LinuxSeccompArg) (r reading) {
	for i, v := range b {
		w := region.WidthOf(name, uint(i))
		if !w.Narrow() {
			r.any[i], r.canonical[i] = []region.Values{v}, []region.Values{v}
			continue
		}
		forms := w.Canonical()
		for _, c := range conds {
			if c.Index == uint(i) {
				forms = w.Forms(c)
			}
		}
		r.any[i] = w.Cubes([]region.Values{v}, []region.Values{region.All64})
		r.canonical[i] = w.Cubes([]region.Values{v}, forms)
	}
	return r
}

// alike reports whether the kernel reads some call of r that programs make in the same way
// as some call of other.
func (r reading) alike(other reading) bool {
	for i := range r.any {
		if !slices.ContainsFunc(r.canonical[i], func(v region.Values) bool {
			return slices.ContainsFunc(other.any[i], func(u region.Values) bool { _, ok := v.Intersect(u); return ok })
		}) {
			return false
		}
	}
	return true
}
