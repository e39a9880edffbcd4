package semantics

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics/region"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Clause is one rule on one syscall as runc hands it to libseccomp.
type Clause struct {
	place   int // in the order of the profile
	Conds   []specs.LinuxSeccompArg
	Outcome Outcome
}

// Meaning is a profile as libseccomp takes it: for each name, the rules that differ from the
// default action.
type Meaning struct {
	Otherwise Outcome
	Arches    []specs.Arch // the native one and those that are listed
	Clauses   map[string][]Clause
	Last      map[specs.Arch]int // the highest number that is named, where runc has a stub
	Split     bool               // a rule had two conditions on one argument
	Misread   []specs.Arch       // architectures that libseccomp makes a wrong filter for
	work      *Work              // counts the steps of computing with it
}

// Understand reads s. It is an error if runc would refuse s. Its steps count in w.
func Understand(w *Work, s *specs.LinuxSeccomp, native specs.Arch) (*Meaning, error) {
	otherwise, ok := outcomeOf(s.DefaultAction, s.DefaultErrnoRet)
	if !ok || otherwise.Order == orderNotify {
		return nil, fmt.Errorf("defaultAction %q is none that runc takes", s.DefaultAction)
	}
	m := &Meaning{work: w, Otherwise: otherwise, Clauses: make(map[string][]Clause, 512), Last: make(map[specs.Arch]int)}
	m.Arches = append(m.Arches, native)
	for _, arch := range s.Architectures {
		if !slices.Contains(m.Arches, arch) {
			m.Arches = append(m.Arches, arch)
		}
	}
	place := 0
	for i, rule := range s.Syscalls {
		o, ok := outcomeOf(rule.Action, rule.ErrnoRet)
		if !ok {
			return nil, fmt.Errorf("syscalls[%d]: action %q is none that runc takes", i, rule.Action)
		}
		conditions, err := m.conditions(rule.Args)
		if err != nil {
			return nil, fmt.Errorf("syscalls[%d]: %w", i, err)
		}
		for _, name := range rule.Names {
			m.name(name)
			place++
			if o == otherwise {
				continue // runc skips it
			}
			for _, conds := range conditions {
				m.Clauses[name] = append(m.Clauses[name], Clause{place, conds, o})
			}
		}
	}
	m.findMisread()
	return m, nil
}

// name notes that a rule names a call: runc's stub depends on the highest number.
func (m *Meaning) name(name string) {
	if _, seen := m.Clauses[name]; seen {
		return
	}
	m.Clauses[name] = nil
	if !m.Otherwise.HasStub() {
		return
	}
	for _, arch := range m.Arches {
		if nr, ok := syscalls.StubNumber(arch, name); ok && nr > 0 {
			m.Last[arch] = max(m.Last[arch], nr)
		}
	}
}

// conditions returns the lists of conditions that runc makes of a rule: one list, in the
// order of the arguments, or one list for each condition if two are on the same argument.
func (m *Meaning) conditions(args []specs.LinuxSeccompArg) ([][]specs.LinuxSeccompArg, error) {
	repeated := false
	var seen [6]bool
	for _, a := range args {
		if a.Index > 5 {
			return nil, fmt.Errorf("argument %d does not exist; a syscall has arguments 0 to 5", a.Index)
		}
		if !slices.Contains(region.Operators, a.Op) {
			return nil, fmt.Errorf("operator %q is none that runc takes", a.Op)
		}
		repeated = repeated || seen[a.Index]
		seen[a.Index] = true
	}
	if repeated {
		m.Split = true
		var out [][]specs.LinuxSeccompArg
		for i := range args {
			out = append(out, args[i:i+1])
		}
		return out, nil
	}
	inOrder := func(a, b specs.LinuxSeccompArg) int { return cmp.Compare(a.Index, b.Index) }
	if !slices.IsSortedFunc(args, inOrder) {
		args = slices.SortedFunc(slices.Values(args), inOrder)
	}
	return [][]specs.LinuxSeccompArg{args}, nil
}

// Names returns the names that either profile has, sorted, and i386's multiplexers, which
// libseccomp puts rules on other calls to.
func Names(a, b *Meaning) []string {
	all := make(map[string]bool, len(a.Clauses)+8)
	for name := range a.Clauses {
		all[name] = true
	}
	for name := range b.Clauses {
		all[name] = true
	}
	for _, name := range MultiplexerNames {
		all[name] = true
	}
	return slices.Sorted(maps.Keys(all))
}

func whole(arch specs.Arch) region.Values {
	if syscalls.Is64(arch) {
		return region.All64
	}
	return region.All32
}

// On returns what becomes of a syscall on arch. clear is false if the rules have more than
// one meaning, because some overlap with different outcomes; f has the strictest then.
func (m *Meaning) On(arch specs.Arch, name string) (f Function, clear bool) {
	clauses := m.Clauses[name]
	if _, known := syscalls.Arches(name); !known {
		return m.unjudged(arch, clauses)
	}
	if arch == specs.ArchX86 && IsMultiplexer(name) {
		clauses = m.multiplexer(name)
	}
	f, clear = m.function(arch, clauses)
	if nr, ok := syscalls.Number(arch, name); ok && m.stubAnswers(arch, nr) {
		return Constant(whole(arch), Enosys), clear
	}
	if slices.Contains(m.Misread, arch) {
		w := m.work.One()
		return w.Meet(f, Constant(f.Whole, m.Otherwise)), false
	}
	return f, clear
}

// function returns what the rules on one call mean together.
func (m *Meaning) function(arch specs.Arch, clauses []Clause) (f Function, clear bool) {
	clear = true
	w := m.work.One()
	var kept []Clause
	for _, c := range clauses {
		c.Conds = region.Visible(whole(arch), c.Conds)
		if len(c.Conds) == 0 {
			// It replaces all rules with conditions, and later ones without.
			return Constant(whole(arch), c.Outcome), clear
		}
		if w.use(1 + len(kept)/4); w.Spent() {
			break
		}
		if !slices.ContainsFunc(kept, func(k Clause) bool { return k.hides(c) }) {
			// libseccomp refuses them, even if no call meets both.
			clear = clear && !slices.ContainsFunc(kept, func(k Clause) bool { return k.Outcome != c.Outcome && c.begins(k) })
			kept = append(kept, c)
		}
	}
	w.use(len(kept) * len(kept) / 4)
	if w.Spent() {
		m.work.over = true
		return Constant(whole(arch), strictestOf(clauses, m.Otherwise)), false
	}
	if Entangled(kept) {
		return Constant(whole(arch), strictestOf(kept, m.Otherwise)), false
	}
	layers, disjoint := m.layers(&w, arch, kept)
	return layers, clear && disjoint
}

// layers returns the function of rules: if several match, the strictest counts. disjoint is
// false if rules with different outcomes can match one call.
func (m *Meaning) layers(w *Budget, arch specs.Arch, rules []Clause) (f Function, disjoint bool) {
	f, disjoint = Constant(whole(arch), m.Otherwise), true
	rules = slices.SortedStableFunc(slices.Values(rules), func(a, b Clause) int { return cmp.Compare(a.Outcome.Order, b.Outcome.Order) })
	for _, c := range rules {
		for _, b := range region.Boxes(whole(arch), c.Conds) {
			w.use(1 + len(f.Pieces))
			for _, p := range f.Pieces {
				if _, both := p.box.Intersect(b); both && p.Outcome != c.Outcome {
					disjoint = false
				}
			}
			for _, part := range w.outside(b, f.Pieces) {
				f.Pieces = append(f.Pieces, piece{part, c.Outcome})
			}
			if w.Spent() {
				// The profile is refused in the end; until then nothing counts as allowed.
				m.work.over = true
				return Constant(whole(arch), strictestOf(rules, m.Otherwise)), false
			}
		}
	}
	return f, disjoint
}

func strictestOf(clauses []Clause, o Outcome) Outcome {
	for _, c := range clauses {
		if c.Outcome.Order < o.Order {
			o = c.Outcome
		}
	}
	return o
}

// hides reports whether c makes libseccomp drop a later rule: where the longer
// begins with all conditions of the shorter, "the shortest chain, or most
// inclusive filter match" stays (db_rule_add, src/db.c). Two with the same
// conditions and different actions it refuses.
func (c Clause) hides(later Clause) bool {
	return c.begins(later) && (len(c.Conds) < len(later.Conds) || c.Outcome == later.Outcome)
}

// begins reports whether d has the conditions of c and perhaps more after them.
func (c Clause) begins(d Clause) bool {
	return len(c.Conds) <= len(d.Conds) && slices.Equal(c.Conds, d.Conds[:len(c.Conds)])
}
