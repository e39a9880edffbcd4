package profile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// clause is one rule on one syscall as runc hands it to libseccomp.
type clause struct {
	place   int // in the order of the profile
	conds   []specs.LinuxSeccompArg
	outcome outcome
}

// meaning is a profile as libseccomp takes it: for each name the rules that
// say something.
type meaning struct {
	otherwise outcome
	arches    []specs.Arch // the native one and those that are listed
	clauses   map[string][]clause
	last      map[specs.Arch]int // the highest number that is named, where runc has a stub
	split     bool               // a rule had two conditions on one argument
	misread   []specs.Arch       // what libseccomp makes a wrong filter for
}

// understand reads s. Errors are what runc would refuse.
func understand(s *specs.LinuxSeccomp, native specs.Arch) (*meaning, error) {
	otherwise, ok := outcomeOf(s.DefaultAction, s.DefaultErrnoRet)
	if !ok || otherwise.order == orderNotify {
		return nil, fmt.Errorf("defaultAction %q is none that runc takes", s.DefaultAction)
	}
	m := &meaning{otherwise: otherwise, clauses: make(map[string][]clause, 512), last: make(map[specs.Arch]int)}
	m.arches = append(m.arches, native)
	for _, arch := range s.Architectures {
		if !slices.Contains(m.arches, arch) {
			m.arches = append(m.arches, arch)
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
				m.clauses[name] = append(m.clauses[name], clause{place, conds, o})
			}
		}
	}
	m.findMisread()
	return m, nil
}

// name notes that a rule names a call, for the stub.
func (m *meaning) name(name string) {
	if _, seen := m.clauses[name]; seen {
		return
	}
	m.clauses[name] = nil
	if !m.otherwise.hasStub() {
		return
	}
	for _, arch := range m.arches {
		if nr, ok := stubNumber(arch, name); ok && nr > 0 {
			m.last[arch] = max(m.last[arch], nr)
		}
	}
}

// conditions are the lists of conditions that runc makes of a rule's: one, in
// the order of the arguments, or one for each condition where two are on the
// same argument.
func (m *meaning) conditions(args []specs.LinuxSeccompArg) ([][]specs.LinuxSeccompArg, error) {
	repeated := false
	for i, a := range args {
		if a.Index > 5 {
			return nil, fmt.Errorf("argument %d does not exist; a syscall has arguments 0 to 5", a.Index)
		}
		if !slices.Contains(operators, string(a.Op)) {
			return nil, fmt.Errorf("operator %q is none that runc takes", a.Op)
		}
		repeated = repeated || slices.ContainsFunc(args[:i], func(b specs.LinuxSeccompArg) bool { return a.Index == b.Index })
	}
	if repeated {
		m.split = true
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

// names are all that either profile names, in order, and i386's multiplexers,
// which rules on others reach.
func names(a, b *meaning) []string {
	all := make(map[string]bool, len(a.clauses)+8)
	for name := range a.clauses {
		all[name] = true
	}
	for name := range b.clauses {
		all[name] = true
	}
	for _, name := range multiplexerNames {
		all[name] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// is64 reports whether filters see the arguments' full 64 bits on arch. On
// others libseccomp compares the low halves only, of the arguments and of the
// conditions' values; x32 is one of these.
func is64(arch specs.Arch) bool { return arch == specs.ArchX86_64 || arch == specs.ArchAARCH64 }

func whole(arch specs.Arch) values {
	if is64(arch) {
		return all64
	}
	return all32
}

// on is what becomes of a syscall on arch. Clear is false where the rules have
// no one meaning: some overlap with different outcomes, and the strictest
// was taken.
func (m *meaning) on(arch specs.Arch, name string) (f function, clear bool) {
	clauses := m.clauses[name]
	if arch == specs.ArchX86 && isMultiplexer(name) {
		clauses = m.multiplexer(name)
	}
	f, clear = m.function(arch, clauses)
	if nr, ok := numberOn(arch, name); ok && m.stubAnswers(arch, nr) {
		return constant(whole(arch), enosys), clear
	}
	if slices.Contains(m.misread, arch) {
		w := budget{left: maxWork}
		return w.meet(f, constant(f.whole, m.otherwise)), false
	}
	return f, clear
}

// multiplexer are the rules that libseccomp puts on socketcall or ipc: those
// on it by name, and those on each call behind it, with the call's number in
// place of the condition on argument 0.
func (m *meaning) multiplexer(by string) []clause {
	out := slices.Clone(m.clauses[by])
	for name, behind := range multiplexed {
		if behind.by != by {
			continue
		}
		for _, c := range m.clauses[name] {
			out = append(out, clause{c.place, behind.conditions(c.conds), c.outcome})
		}
	}
	slices.SortStableFunc(out, func(a, b clause) int { return cmp.Compare(a.place, b.place) })
	return out
}

func (b multiplex) conditions(conds []specs.LinuxSeccompArg) []specs.LinuxSeccompArg {
	out := []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: b.call}}
	for _, c := range conds {
		if c.Index != 0 {
			out = append(out, c)
		}
	}
	return out
}

// function is what rules on one call mean together.
func (m *meaning) function(arch specs.Arch, clauses []clause) (f function, clear bool) {
	f, clear = constant(whole(arch), m.otherwise), true
	var kept []clause
	for _, c := range clauses {
		c.conds = visible(arch, c.conds)
		if len(c.conds) == 0 {
			// It supersedes all rules with conditions, and later ones like it.
			return constant(whole(arch), c.outcome), clear
		}
		if !slices.ContainsFunc(kept, func(k clause) bool { return k.hides(c) }) {
			// Refused, even where no call meets both.
			clear = clear && !slices.ContainsFunc(kept, func(k clause) bool { return k.outcome != c.outcome && c.begins(k) })
			kept = append(kept, c)
		}
	}
	if entangled(kept) {
		return constant(whole(arch), strictestOf(kept, m.otherwise)), false
	}
	slices.SortStableFunc(kept, func(a, b clause) int { return cmp.Compare(a.outcome.order, b.outcome.order) })
	w := budget{left: maxWork}
	for _, c := range kept {
		for _, b := range boxes(whole(arch), c.conds) {
			for _, p := range f.pieces {
				if _, both := p.intersect(b); both && p.outcome != c.outcome {
					clear = false
				}
			}
			for _, part := range w.outside(b, f.pieces) {
				f.pieces = append(f.pieces, piece{part, c.outcome})
			}
		}
	}
	return f, clear && !w.spent()
}

func strictestOf(clauses []clause, o outcome) outcome {
	for _, c := range clauses {
		if c.outcome.order < o.order {
			o = c.outcome
		}
	}
	return o
}

// hides reports whether c makes libseccomp drop a later rule: where the longer
// begins with all conditions of the shorter, "the shortest chain, or most
// inclusive filter match" stays (db_rule_add, src/db.c). Two with the same
// conditions and different actions it refuses.
func (c clause) hides(later clause) bool {
	return c.begins(later) && (len(c.conds) < len(later.conds) || c.outcome == later.outcome)
}

// begins reports whether d has the conditions of c and perhaps more after them.
func (c clause) begins(d clause) bool {
	return len(c.conds) <= len(d.conds) && slices.Equal(c.conds, d.conds[:len(c.conds)])
}
