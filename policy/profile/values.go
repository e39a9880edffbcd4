package profile

import (
	"math"
	"math/bits"
)

// values are the x of one argument with x & mask == value and low <= x <= high.
// They are closed under intersection, and the difference of two is a list of
// them. Made by tighten, low and high are elements, bits that the interval
// decides are not in mask, and none are empty.
type values struct{ mask, value, low, high uint64 }

var (
	all64 = values{high: math.MaxUint64}
	all32 = values{high: math.MaxUint32}
)

// tighten is v in its normal form; ok is false if v is empty.
func (v values) tighten() (values, bool) {
	// The mask's leading bits are an interval.
	if lead := bits.LeadingZeros64(^v.mask); lead > 0 {
		rest := uint64(math.MaxUint64) >> lead
		v.low, v.high = max(v.low, v.value&^rest), min(v.high, v.value|rest)
	}
	low, ok := atLeast(v.low, v.mask, v.value)
	if !ok || low > v.high {
		return values{}, false
	}
	v.low = low
	// The greatest element up to high is the complement of the least from ^high.
	high, _ := atLeast(^v.high, v.mask, ^v.value&v.mask)
	v.high = ^high
	// Bits above the first in which low and high differ are the interval's.
	decided := ^(uint64(math.MaxUint64) >> bits.LeadingZeros64(v.low^v.high))
	if v.low == v.high {
		decided = math.MaxUint64
	}
	v.mask &^= decided
	v.value &= v.mask
	return v, true
}

// atLeast is the least y >= x with y & mask == value.
func atLeast(x, mask, value uint64) (y uint64, ok bool) {
	y = x&^mask | value
	differ := x ^ y
	if differ == 0 {
		return y, true
	}
	top := 63 - bits.LeadingZeros64(differ)
	if y < x {
		// Too small by a bit that the mask holds at 0: carry into the next
		// free bit above that is 0.
		free := ^mask & ^x & (math.MaxUint64 << top)
		if free == 0 {
			return 0, false
		}
		top = bits.TrailingZeros64(free)
		x |= 1 << top
	}
	below := uint64(1)<<top - 1
	above := x &^ below
	return above&^mask | value, true
}

func (v values) intersect(w values) (values, bool) {
	if (v.value^w.value)&v.mask&w.mask != 0 {
		return values{}, false
	}
	return values{v.mask | w.mask, v.value | w.value, max(v.low, w.low), min(v.high, w.high)}.tighten()
}

// minus are the disjoint parts of v that are not in w.
func (v values) minus(w values) []values {
	inside, ok := v.intersect(w)
	if !ok {
		return []values{v}
	}
	if inside == v {
		return nil
	}
	w = w.widen()
	var out []values
	part := func(p values) {
		if p, ok := p.tighten(); ok {
			out = append(out, p)
		}
	}
	rest := v
	if w.low > v.low {
		below := v
		below.high = w.low - 1
		part(below)
		rest.low = w.low
	}
	if w.high < v.high {
		above := v
		above.low = w.high + 1
		part(above)
		rest.high = w.high
	}
	for todo := w.mask &^ v.mask; todo != 0; {
		bit := uint64(1) << (63 - bits.LeadingZeros64(todo))
		todo &^= bit
		other := rest
		other.mask |= bit
		other.value |= ^w.value & bit
		part(other)
		rest.mask |= bit
		rest.value |= w.value & bit
	}
	return out
}

// widen is v with the largest interval that has no other elements of its mask
// and value: so that taking away a cube leaves no slivers at its ends.
func (v values) widen() values {
	if v.mask == 0 {
		return v
	}
	low, high := v.low, v.high
	v.low, v.high = 0, math.MaxUint64
	if next, ok := atLeast(^low+1, v.mask, ^v.value&v.mask); ok && low > 0 {
		v.low = ^next + 1
	}
	if next, ok := atLeast(high+1, v.mask, v.value); ok && high < math.MaxUint64 {
		v.high = next - 1
	}
	return v
}
