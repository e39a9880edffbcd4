package profile

import (
	"math"
	"math/bits"
	"slices"
)

// join makes fewer pieces of the same meaning out of disjoint ones.
func (w *budget) join(pieces []piece) []piece {
	pieces = slices.Clone(pieces)
	for again := true; again && !w.spent(); {
		again = false
		for i := 0; i < len(pieces); i++ {
			for j := i + 1; j < len(pieces); j++ {
				w.left--
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

// union is p and q as one piece, where they differ in one argument only and
// its values together are such values again.
func union(p, q piece) (piece, bool) {
	i, ok := differing(p, q)
	if !ok {
		return p, false
	}
	v, u := p.box[i], q.box[i]
	if v.low > u.low {
		v, u = u, v
	}
	switch {
	case v.mask == 0 && u.mask == 0 && v.high+1 == u.low:
		v.high = u.high
	case v.mask == u.mask && v.low == u.low && v.high == u.high && bits.OnesCount64(v.value^u.value) == 1:
		v.mask &^= v.value ^ u.value
		v.value &= v.mask
	default:
		return wider(p, i, v, u)
	}
	p.box[i], ok = v.tighten()
	return p, ok
}

// wider joins cubes of which the interval is what tighten made of them: two
// halves that differ in one bit.
func wider(p piece, i int, v, u values) (piece, bool) {
	a, okA := v.cube()
	b, okB := u.cube()
	bit := a.value ^ b.value
	if !okA || !okB || a.mask != b.mask || bits.OnesCount64(bit) != 1 {
		return p, false
	}
	joined, ok := values{a.mask &^ bit, a.value &^ bit, 0, math.MaxUint64}.tighten()
	p.box[i] = joined
	return p, ok
}

// cube is v as a mask and a value alone, where it is that.
func (v values) cube() (values, bool) {
	first := bits.LeadingZeros64(v.low ^ v.high)
	prefix := ^(uint64(math.MaxUint64) >> first)
	if v.low == v.high {
		prefix = math.MaxUint64
	}
	c := values{v.mask | prefix, v.value | v.low&prefix, 0, math.MaxUint64}
	t, ok := c.tighten()
	return values{mask: c.mask, value: c.value}, ok && t == v
}

// differing is the one argument in which two pieces of one outcome differ.
func differing(p, q piece) (int, bool) {
	at := -1
	if p.outcome != q.outcome {
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

// complement finds among others the piece that with p makes all but one value
// of one argument.
func complement(whole values, p piece, others []piece) (at int, value uint64, arg int) {
	for j, q := range others {
		i, ok := differing(p, q)
		if !ok {
			continue
		}
		v, u := p.box[i], q.box[i]
		if v.low > u.low {
			v, u = u, v
		}
		if v.mask == 0 && u.mask == 0 && v.low == 0 && v.high+2 == u.low && u.high == whole.high {
			return j, v.high + 1, i
		}
	}
	return -1, 0, 0
}
