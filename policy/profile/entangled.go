package profile

import (
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// libseccomp (2.5.4, src/db.c and src/gen_bpf.c) keeps the rules on a syscall as
// one tree, and two things go wrong in it where a rule goes on after a
// comparison that is not an equality, such as x > 5, and another rule looks at
// the same argument at that place:
//
//   - What follows the comparison hangs on two branches as one and the same
//     subtree. Another rule's is linked into it on each branch: its conditions
//     are then also tested where they should not be, or the list becomes a ring
//     and libseccomp does not return.
//   - When the rest of the rule does not match, the other rule's comparison is
//     made with what was loaded last, which is another argument.
//
// A third is that a rule which ends with x == 5 hides a later one that is x != 5
// alone, and the other way round: where the new rule and the tail of an old one
// make the same comparisons, db_rule_add takes them for the same.
//
// And x < 5 followed by a comparison of x with a value whose high half is another
// one goes on with the wrong half loaded.
//
// What such rules do is not to be known: nothing looser than the strictest of
// them is taken for their meaning, and none are written.

// entangled reports whether two of the clauses are tied together like this.
func entangled(clauses []clause) bool {
	clauses = withoutTail(clauses)
	for i, c := range clauses {
		for _, d := range clauses[i+1:] {
			same := c.outcome == d.outcome
			if tied(c.conds, d.conds) || opposed(d.conds, c.conds) || same && opposed(c.conds, d.conds) {
				return true
			}
		}
	}
	return false
}

// opposed reports whether long, not from its first condition on, has those of
// short up to one of which it has the opposite.
func opposed(long, short []specs.LinuxSeccompArg) bool {
	for at := 1; at < len(long); at++ {
		for i, s := range short {
			if at+i == len(long) {
				break
			}
			l := long[at+i]
			if l.Index == s.Index && l.Value == s.Value && (opposite[l.Op] == s.Op || opposite[s.Op] == l.Op) {
				return true
			}
			if l != s {
				break
			}
		}
	}
	return false
}

// opposite are the operators that libseccomp makes the same comparison of.
var opposite = map[specs.LinuxSeccompOperator]specs.LinuxSeccompOperator{
	specs.OpNotEqual: specs.OpEqualTo, specs.OpLessEqual: specs.OpGreaterThan, specs.OpLessThan: specs.OpGreaterEqual,
}

func tied(a, b []specs.LinuxSeccompArg) bool {
	for i := range min(len(a), len(b)) {
		if a[i].Index != b[i].Index {
			return false
		}
		if goesOn(a, i) || goesOn(b, i) || skewed(a[i], b[i]) || skewed(b[i], a[i]) {
			return true
		}
		if a[i] != b[i] {
			return false
		}
	}
	return false
}

// goesOn reports whether the condition at i is no equality and not the last.
func goesOn(conds []specs.LinuxSeccompArg, i int) bool {
	op := conds[i].Op
	return i+1 < len(conds) && op != specs.OpEqualTo && op != specs.OpMaskedEqual
}

// skewed reports whether below is < or <= and other compares the order, too, with
// a value of another high half.
func skewed(below, other specs.LinuxSeccompArg) bool {
	ordered := other.Op != specs.OpEqualTo && other.Op != specs.OpMaskedEqual && other.Op != specs.OpNotEqual
	return ordered && below.Value>>32 != other.Value>>32 && (below.Op == specs.OpLessThan || below.Op == specs.OpLessEqual)
}

// findMisread finds the architectures for which libseccomp 2.5 makes a filter that
// compares the wrong word. Where it writes no binary tree, it loads the call's
// number in the block of the rule that it puts first (_gen_bpf_syscalls,
// src/gen_bpf.c), the one with the fewest conditions; if that is on a call which
// the architecture does not have, the block is not written and no rule matches.
// On x86_64 that happens only together with x32. runc asks for the tree from 33
// names on; crun 1.8 never does.
func (m *meaning) findMisread() {
	for _, arch := range m.arches {
		switch {
		case arch == specs.ArchX86_64 && !slices.Contains(m.arches, specs.ArchX32), arch == specs.ArchX32:
		default:
			if m.foreignFirst(arch) {
				m.misread = append(m.misread, arch)
			}
		}
	}
	if slices.Contains(m.misread, specs.ArchX86_64) {
		m.misread = append(m.misread, specs.ArchX32)
	}
}

// validateMisread warns of what libseccomp makes a filter of in which no rule
// matches: see findMisread.
func (p *Profile) validateMisread(n document.Node) {
	s := p.Resolve(Target{})
	if !slices.Contains(s.Architectures, specs.ArchX32) {
		return
	}
	if m, err := understand(&s, specs.ArchX86_64); err == nil && len(m.misread) > 0 {
		n.As("matches-nothing").Warnf("lists SCMP_ARCH_X32, and its rules without conditions are on calls that x86_64 lacks: for crun, and up to 32 names for runc, libseccomp makes a filter in which no rule matches; leave SCMP_ARCH_X32 out")
	}
}

// foreignFirst reports whether the rule that libseccomp puts first on arch may be
// on a call that arch does not have.
func (m *meaning) foreignFirst(arch specs.Arch) bool {
	foreign := false
	for name, clauses := range m.clauses {
		_, known := lookup(name)
		_, behind := multiplexed[name]
		_, numbered := numberOn(arch, name)
		if len(clauses) == 0 || !known {
			continue
		}
		if arch == specs.ArchX86 && !behind && !numbered {
			continue // it is not added there at all
		}
		if numbered && slices.ContainsFunc(clauses, func(c clause) bool { return len(visible(arch, c.conds)) == 0 }) {
			return false
		}
		foreign = foreign || !numbered
	}
	return foreign
}

// withoutTail are the clauses without a last condition that always holds, where
// all of them have it.
func withoutTail(clauses []clause) []clause {
	out := slices.Clone(clauses)
	for i, c := range out {
		n := len(c.conds) - 1
		if n < 1 || c.conds[n] != tail {
			return clauses
		}
		out[i].conds = c.conds[:n]
	}
	return out
}

var tail = specs.LinuxSeccompArg{Index: 5, Op: specs.OpGreaterEqual}

// halved reports whether two of the clauses begin alike up to a masked argument,
// of which one asks for another value and ends there while the other goes on.
//
// The sixth: on a call behind one of i386's multiplexers both architectures'
// filters may then end in one and the same block for the shorter rule. It does
// not load the argument again, which only i386's had just loaded. A condition
// that always holds behind the shorter rule makes the blocks differ.
func halved(clauses []clause) bool {
	for _, short := range clauses {
		last := len(short.conds) - 1
		for _, long := range clauses {
			if last < 0 || len(long.conds) <= len(short.conds) || !slices.Equal(long.conds[:last], short.conds[:last]) {
				continue
			}
			a, b := short.conds[last], long.conds[last]
			if a.Index == b.Index && a.Op == specs.OpMaskedEqual && b.Op == a.Op && a.Value == b.Value && a.ValueTwo != b.ValueTwo {
				return true
			}
		}
	}
	return false
}
