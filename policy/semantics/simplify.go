package semantics

import (
	"slices"

	"github.com/batten-runtime/batten/policy/semantics/region"
)

// join returns fewer pieces with the same meaning; pieces must be disjoint.
func (w *Budget) join(pieces []piece) []piece {
	pieces = slices.Clone(pieces)
	for again := true; again && !w.Spent(); {
		again = false
		for i := 0; i < len(pieces); i++ {
			if w.use(len(pieces) - i); w.Spent() {
				return pieces
			}
			for j := i + 1; j < len(pieces); j++ {
				if joined, ok := union(pieces[i], pieces[j]); ok {
					pieces[i], again = joined, true
					pieces = slices.Delete(pieces, j, j+1)
					j--
				}
			}
		}
	}
	return pieces
}

// union returns p and q as one piece. ok is false unless they differ in one argument only,
// and its values together are of the form that region.Values has.
func union(p, q piece) (piece, bool) {
	i, ok := differing(p, q)
	if !ok {
		return p, false
	}
	p.box[i], ok = p.box[i].Union(q.box[i])
	return p, ok
}

// differing returns the one argument in which two pieces with the same outcome differ.
func differing(p, q piece) (int, bool) {
	at := -1
	if p.Outcome != q.Outcome {
		return at, false
	}
	for i := range p.box {
		if p.box[i] == q.box[i] {
			continue
		}
		if at >= 0 {
			return at, false
		}
		at = i
	}
	return at, at >= 0
}

// complement finds the piece among others that, together with p, has all values of one
// argument but one. at is -1 if there is none.
func complement(whole region.Values, p piece, others []piece) (at int, value uint64, arg int) {
	for j, q := range others {
		i, ok := differing(p, q)
		if !ok {
			continue
		}
		if missing, ok := p.box[i].Complement(q.box[i], whole); ok {
			return j, missing, i
		}
	}
	return -1, 0, 0
}
