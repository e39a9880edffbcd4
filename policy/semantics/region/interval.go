package region

import (
	"math"
	"math/bits"
)

// Values is a set of values of one argument: the x with x & mask == value and
// Low <= x <= High. The intersection of two is one again; the difference of two is a list
// of them. No function here returns an empty one. Low and High are elements, and bits that
// the interval decides are not in mask.
type Values struct {
	mask, value uint64
	Low, High   uint64
}

// All values of an argument of 64 bits, and of one of 32 bits.
var (
	All64 = Values{High: math.MaxUint64}
	All32 = Values{High: math.MaxUint32}
)

// tighten returns v in its normal form; ok is false if v is empty.
func (v Values) tighten() (Values, bool) {
	// The mask's leading bits are an interval.
	if lead := bits.LeadingZeros64(^v.mask); lead > 0 {
		rest := uint64(math.MaxUint64) >> lead
		v.Low, v.High = max(v.Low, v.value&^rest), min(v.High, v.value|rest)
	}
	low, ok := atLeast(v.Low, v.mask, v.value)
	if !ok || low > v.High {
		return Values{}, false
	}
	v.Low = low
	// The greatest element up to high is the complement of the least from ^high.
	high, _ := atLeast(^v.High, v.mask, ^v.value&v.mask)
	v.High = ^high
	// Bits above the first in which low and high differ are the interval's.
	decided := ^(uint64(math.MaxUint64) >> bits.LeadingZeros64(v.Low^v.High))
	if v.Low == v.High {
		decided = math.MaxUint64
	}
	v.mask &^= decided
	v.value &= v.mask
	return v, true
}

// atLeast returns the least y >= x with y & mask == value.
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

// Intersect returns the values that are in v and in w; ok is false if there are none.
func (v Values) Intersect(w Values) (both Values, ok bool) {
	if (v.value^w.value)&v.mask&w.mask != 0 {
		return Values{}, false
	}
	return Values{v.mask | w.mask, v.value | w.value, max(v.Low, w.Low), min(v.High, w.High)}.tighten()
}

// Minus returns the disjoint parts of v that are not in w.
func (v Values) Minus(w Values) []Values {
	inside, ok := v.Intersect(w)
	if !ok {
		return []Values{v}
	}
	if inside == v {
		return nil
	}
	w = w.widen()
	var out []Values
	part := func(p Values) {
		if p, ok := p.tighten(); ok {
			out = append(out, p)
		}
	}
	rest := v
	if w.Low > v.Low {
		below := v
		below.High = w.Low - 1
		part(below)
		rest.Low = w.Low
	}
	if w.High < v.High {
		above := v
		above.Low = w.High + 1
		part(above)
		rest.High = w.High
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

// widen returns v with the largest interval that has no other elements of its mask
// and value: so that taking away a cube leaves no slivers at its ends.
func (v Values) widen() Values {
	if v.mask == 0 {
		return v
	}
	low, high := v.Low, v.High
	v.Low, v.High = 0, math.MaxUint64
	if next, ok := atLeast(^low+1, v.mask, ^v.value&v.mask); ok && low > 0 {
		v.Low = ^next + 1
	}
	if next, ok := atLeast(high+1, v.mask, v.value); ok && high < math.MaxUint64 {
		v.High = next - 1
	}
	return v
}

// Union returns the values that are in v or in w, which have none in common; ok is false
// if they are not of this form.
func (v Values) Union(w Values) (out Values, ok bool) {
	if v.Low > w.Low {
		v, w = w, v
	}
	switch {
	case v.mask == 0 && w.mask == 0 && v.High+1 == w.Low:
		v.High = w.High
	case v.mask == w.mask && v.Low == w.Low && v.High == w.High && bits.OnesCount64(v.value^w.value) == 1:
		v.mask &^= v.value ^ w.value
		v.value &= v.mask
	default:
		return v.wider(w)
	}
	return v.tighten()
}

// wider returns the union of two cubes whose masks are equal and whose values differ in
// one bit. tighten may have recorded their bounds as an interval, so they are converted
// back first.
func (v Values) wider(w Values) (out Values, ok bool) {
	a, okA := v.cube()
	b, okB := w.cube()
	bit := a.value ^ b.value
	if !okA || !okB || a.mask != b.mask || bits.OnesCount64(bit) != 1 {
		return v, false
	}
	return Values{a.mask &^ bit, a.value &^ bit, 0, math.MaxUint64}.tighten()
}

// Complement returns the one value of whole that is neither in v nor in w; ok is false
// if v and w are not the values below it and those above it.
func (v Values) Complement(w, whole Values) (missing uint64, ok bool) {
	if v.Low > w.Low {
		v, w = w, v
	}
	ok = v.mask == 0 && w.mask == 0 && v.Low == 0 && v.High+2 == w.Low && w.High == whole.High
	return v.High + 1, ok
}

// cube returns v as a mask and a value alone; ok is false if the interval says more.
func (v Values) cube() (c Values, ok bool) {
	first := bits.LeadingZeros64(v.Low ^ v.High)
	prefix := ^(uint64(math.MaxUint64) >> first)
	if v.Low == v.High {
		prefix = math.MaxUint64
	}
	c = Values{v.mask | prefix, v.value | v.Low&prefix, 0, math.MaxUint64}
	t, ok := c.tighten()
	return Values{mask: c.mask, value: c.value}, ok && t == v
}
