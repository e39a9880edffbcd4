package filter

import (
	"golang.org/x/sys/unix"

	"github.com/batten-runtime/batten/policy/bpf"
)

// ref names a function of a call's arguments, kept as a reduced ordered binary decision
// diagram (BDD) over their bits. In one space equal functions have equal refs, so that two
// functions are compared by comparing two numbers.
type ref int32

// node tests one bit; a leaf holds the answer.
type node struct {
	level      uint16 // the bit's place in the order; leafLevel for a leaf
	zero, one  ref
	leafResult Result
}

const leafLevel = 0xffff

// space holds diagrams.
type space struct {
	nodes  []node
	unique map[node]ref
	ites   map[[3]ref]ref
	pairs  map[pairKey]ref
	left   int // steps: see maxSteps
	// listeners numbers the listeners that programs name.
	listeners map[string]uint16
}

type pairKey struct {
	op   uint8
	a, b ref
}

// Predicates have these two leaves, made first.
const (
	no ref = iota
	yes
)

func newSpace() *space {
	s := &space{left: maxSteps, unique: make(map[node]ref), ites: make(map[[3]ref]ref), pairs: make(map[pairKey]ref)}
	s.leaf(Result{Data: 0, Action: 1}) // no kernel action has these numbers
	s.leaf(Result{Data: 1, Action: 1})
	return s
}

func (s *space) leaf(r Result) ref { return s.intern(node{level: leafLevel, leafResult: r}) }

func (s *space) intern(n node) ref {
	if r, ok := s.unique[n]; ok {
		return r
	}
	r := ref(len(s.nodes))
	s.nodes = append(s.nodes, n)
	s.unique[n] = r
	return r
}

// branch returns the function that tests a bit and is zero or one, by its value.
func (s *space) branch(level uint16, zero, one ref) ref {
	if zero == one {
		return zero
	}
	return s.intern(node{level: level, zero: zero, one: one})
}

// levelOf returns the place of a word's highest bit in the order; the others
// follow. Arguments come first to last, the high half before the low, which
// is the order that libseccomp tests them in and keeps diagrams small.
func levelOf(word uint32) uint16 { return uint16(word^1) * 32 }

// wordAt returns the word and the bit that a level stands for.
func wordAt(level uint16) (word uint32, bit uint) { return uint32(level/32) ^ 1, 31 - uint(level%32) }

// equal returns the predicate word & mask == value.
func (s *space) equal(word, mask, value uint32) ref {
	if value&^mask != 0 {
		return no
	}
	out, level := yes, levelOf(word)
	for bit := range 32 {
		if mask>>bit&1 == 0 {
			continue
		}
		at := level + uint16(31-bit)
		if value>>bit&1 == 1 {
			out = s.branch(at, no, out)
		} else {
			out = s.branch(at, out, no)
		}
	}
	return out
}

// above returns the predicate word & mask > value, or >= if orEqual.
func (s *space) above(word, mask, value uint32, orEqual bool) ref {
	out, level := no, levelOf(word)
	if orEqual {
		out = yes
	}
	for bit := range 32 {
		at := level + uint16(31-bit)
		switch set, want := mask>>bit&1 == 1, value>>bit&1 == 1; {
		case set && want:
			out = s.branch(at, no, out)
		case set:
			out = s.branch(at, out, yes)
		case want:
			out = no
		}
	}
	return out
}

// anyBit returns the predicate word & mask != 0.
func (s *space) anyBit(word, mask uint32) ref {
	return s.ite(s.equal(word, mask, 0), no, yes)
}

// test returns the condition of a jump on a masked word, as a predicate.
func (s *space) test(in unix.SockFilter, word, mask uint32) ref {
	switch in.Code {
	case bpf.IfEqual:
		return s.equal(word, mask, in.K)
	case bpf.IfGreater:
		return s.above(word, mask, in.K, false)
	case bpf.IfAtLeast:
		return s.above(word, mask, in.K, true)
	}
	return s.anyBit(word, mask&in.K)
}

// cofactors returns f for both values of the bit at level; f tests no bit above it.
func (s *space) cofactors(f ref, level uint16) (zero, one ref) {
	if n := &s.nodes[f]; n.level == level {
		return n.zero, n.one
	}
	return f, f
}

// ite (if-then-else) returns the function that is then where the predicate holds, and
// otherwise where it does not.
func (s *space) ite(predicate, then, otherwise ref) ref {
	switch {
	case predicate == yes:
		return then
	case predicate == no:
		return otherwise
	case then == otherwise:
		return then
	}
	key := [3]ref{predicate, then, otherwise}
	if out, ok := s.ites[key]; ok {
		return out
	}
	s.step()
	level := min(s.nodes[predicate].level, s.nodes[then].level, s.nodes[otherwise].level)
	p0, p1 := s.cofactors(predicate, level)
	t0, t1 := s.cofactors(then, level)
	o0, o1 := s.cofactors(otherwise, level)
	out := s.branch(level, s.ite(p0, t0, o0), s.ite(p1, t1, o1))
	s.ites[key] = out
	return out
}

// Operations of apply on two leaves.
const (
	opMeet    uint8 = iota // what the kernel does: the first is the older filter's
	opJoin                 // the looser of the two; at a tie the second
	opAllowed              // predicate: the second permits what the first does not
	opLooser               // predicate: the second is looser than the first
	opDiffer               // predicate: the two differ
)

func (s *space) applyLeaves(op uint8, a, b Result) ref {
	verdict := false
	switch op {
	case opMeet:
		return s.leaf(stricter(a, b))
	case opJoin:
		return s.leaf(looser(a, b))
	case opAllowed:
		verdict = b.permits() && !a.permits()
	case opLooser:
		verdict = b.looser(a)
	case opDiffer:
		verdict = a != b
	}
	if verdict {
		return yes
	}
	return no
}

// apply returns the function whose value is op of the values of a and b.
func (s *space) apply(op uint8, a, b ref) ref {
	if a == b && (op == opMeet || op == opJoin) {
		return a
	}
	if a == b {
		return no
	}
	if s.nodes[a].level == leafLevel && s.nodes[b].level == leafLevel {
		return s.applyLeaves(op, s.nodes[a].leafResult, s.nodes[b].leafResult)
	}
	key := pairKey{op, a, b}
	if out, ok := s.pairs[key]; ok {
		return out
	}
	s.step()
	level := min(s.nodes[a].level, s.nodes[b].level)
	a0, a1 := s.cofactors(a, level)
	b0, b1 := s.cofactors(b, level)
	out := s.branch(level, s.apply(op, a0, b0), s.apply(op, a1, b1))
	s.pairs[key] = out
	return out
}

// find sets the arguments of c so that the predicate holds; bits that do not matter are 0.
// The predicate must hold somewhere.
func (s *space) find(predicate ref, c *Call) {
	for s.nodes[predicate].level != leafLevel {
		n := s.nodes[predicate]
		predicate = n.zero
		if n.zero == no {
			predicate = n.one
			word, bit := wordAt(n.level)
			c.SetWord(4*word, c.Word(4*word)|1<<bit)
		}
	}
}

// at returns a function's value for one call.
func (s *space) at(f ref, c Call) Result {
	for s.nodes[f].level != leafLevel {
		n := s.nodes[f]
		word, bit := wordAt(n.level)
		if f = n.zero; c.Word(4*word)>>bit&1 == 1 {
			f = n.one
		}
	}
	return s.nodes[f].leafResult
}
