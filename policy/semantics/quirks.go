package semantics

import (
	"slices"

	"github.com/batten-runtime/batten/policy/semantics/region"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Six bugs of libseccomp 2.5.4. "Smallest" is the smallest set of rules that shows a bug,
// on one system call unless said otherwise; docs/reference/floor.md tells users of them.
// libseccomp keeps the rules on a system call as a tree of comparisons (src/db.c) and
// writes a program of it (src/gen_bpf.c).
//
//	no.  where           smallest                        what libseccomp does
//	1    db_rule_add     x > 5 and y == 1; x == 7        links the second rule into both branches of
//	                                                     the first: it tests y too, or never returns
//	2    db_rule_add     x > 5 and y == 1; x == 7        compares x with what was loaded last, y
//	3    db_rule_add     z == 1 and x == 5; x != 5       takes the second rule for part of the first
//	4    _gen_bpf_node   x < 5; x > 1<<32                goes on with the wrong half of x loaded
//	5    _gen_bpf_syscalls   umount, with x86_64 and     puts the call that x86_64 lacks first, does
//	                     x32 listed, no binary tree      not write its block: no rule matches
//	6    _gen_bpf_chain  connect: x&1 == 1; x&1 == 0     shares a block between two architectures
//	                     and y == 1; i386 listed         that only one of them has loaded x for
//
// What Batten does: it takes the strictest of such rules for their meaning (1 to 4:
// Entangled; 5: findMisread; 6: Halved), and no result of a floor has such rules.

// Entangled reports whether two of the clauses show bug 1, 2, 3 or 4.
func Entangled(clauses []Clause) bool {
	clauses = withoutTail(clauses)
	for i, c := range clauses {
		for _, d := range clauses[i+1:] {
			same := c.Outcome == d.Outcome
			if tied(c.Conds, d.Conds) || opposed(d.Conds, c.Conds) || same && opposed(c.Conds, d.Conds) {
				return true
			}
		}
	}
	return false
}

// opposed reports bug 3: behind its first condition, long has the conditions of short,
// up to one of which long has the opposite.
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

// opposite maps operators to those for which libseccomp makes the same comparison, negated.
var opposite = map[specs.LinuxSeccompOperator]specs.LinuxSeccompOperator{
	specs.OpNotEqual: specs.OpEqualTo, specs.OpLessEqual: specs.OpGreaterThan, specs.OpLessThan: specs.OpGreaterEqual,
}

// tied reports bugs 1, 2 and 4: where the two begin alike, and look at one argument, one
// of them goes on after a comparison that is no equality, or they are skewed.
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

// goesOn reports whether the condition at i is not an equality and not the last one.
func goesOn(conds []specs.LinuxSeccompArg, i int) bool {
	op := conds[i].Op
	return i+1 < len(conds) && op != specs.OpEqualTo && op != specs.OpMaskedEqual
}

// skewed reports bug 4: below is < or <=, and other compares the order, too, with a
// value of another high half.
func skewed(below, other specs.LinuxSeccompArg) bool {
	ordered := other.Op != specs.OpEqualTo && other.Op != specs.OpMaskedEqual && other.Op != specs.OpNotEqual
	return ordered && below.Value>>32 != other.Value>>32 && (below.Op == specs.OpLessThan || below.Op == specs.OpLessEqual)
}

// Misread returns the architectures for which libseccomp may make a filter of s in which no rule
// matches; none for a profile that cannot be understood: whoever compiles it says why.
func Misread(s *specs.LinuxSeccomp, native specs.Arch) []specs.Arch {
	m, err := Understand(NewWork(), s, native)
	if err != nil {
		return nil
	}
	return m.Misread
}

// findMisread finds the architectures that show bug 5. Without a binary tree libseccomp
// loads the call's number in the block of the rule that it puts first, the one with the
// fewest conditions. If the architecture lacks that rule's call, the block is not written
// and no rule matches. On x86_64 that happens only together with x32. runc asks for the
// tree from 33 names on; crun 1.8 never does.
func (m *Meaning) findMisread() {
	for _, arch := range m.Arches {
		switch {
		case arch == specs.ArchX86_64 && !slices.Contains(m.Arches, specs.ArchX32), arch == specs.ArchX32:
		default:
			if m.foreignFirst(arch) {
				m.Misread = append(m.Misread, arch)
			}
		}
	}
	if slices.Contains(m.Misread, specs.ArchX86_64) {
		m.Misread = append(m.Misread, specs.ArchX32)
	}
}

// foreignFirst reports whether the rule that libseccomp puts first on arch may be
// on a call that arch does not have.
func (m *Meaning) foreignFirst(arch specs.Arch) bool {
	foreign := false
	for name, clauses := range m.Clauses {
		_, known := syscalls.Arches(name)
		_, behind := syscalls.Multiplexed[name]
		_, numbered := syscalls.Number(arch, name)
		if len(clauses) == 0 || !known {
			continue
		}
		if arch == specs.ArchX86 && !behind && !numbered {
			continue // libseccomp does not add the rule on that architecture
		}
		if numbered && slices.ContainsFunc(clauses, func(c Clause) bool { return len(region.Visible(whole(arch), c.Conds)) == 0 }) {
			return false
		}
		foreign = foreign || !numbered
	}
	return foreign
}

// withoutTail returns the clauses without a last condition that always holds, if all of
// them have one.
func withoutTail(clauses []Clause) []Clause {
	out := slices.Clone(clauses)
	for i, c := range out {
		n := len(c.Conds) - 1
		if n < 1 || c.Conds[n] != Tail {
			return clauses
		}
		out[i].Conds = c.Conds[:n]
	}
	return out
}

var Tail = specs.LinuxSeccompArg{Index: 5, Op: specs.OpGreaterEqual}

// Halved reports bug 6: two of the clauses begin alike up to a masked argument, of which
// one asks for another value and ends there while the other goes on. On a call behind one
// of i386's multiplexers the filters of both architectures may then end in the same block
// for the shorter rule. The block does not load the argument again, which only i386's
// filter had just loaded. A condition that always holds, behind the shorter rule, makes
// the blocks differ.
func Halved(clauses []Clause) bool {
	for _, short := range clauses {
		last := len(short.Conds) - 1
		for _, long := range clauses {
			if last < 0 || len(long.Conds) <= len(short.Conds) || !slices.Equal(long.Conds[:last], short.Conds[:last]) {
				continue
			}
			a, b := short.Conds[last], long.Conds[last]
			if a.Index == b.Index && a.Op == specs.OpMaskedEqual && b.Op == a.Op && a.Value == b.Value && a.ValueTwo != b.ValueTwo {
				return true
			}
		}
	}
	return false
}
