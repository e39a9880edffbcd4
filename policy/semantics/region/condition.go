package region

import (
	"math"
	"math/bits"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Visible returns the conditions as libseccomp compares them where an argument is one of
// whole: without those whose mask leaves nothing to compare.
func Visible(whole Values, conds []specs.LinuxSeccompArg) []specs.LinuxSeccompArg {
	limit := whole.High
	same := true
	for _, c := range conds {
		same = same && c.Value <= limit && c.Op != specs.OpMaskedEqual
	}
	if same {
		return conds
	}
	var out []specs.LinuxSeccompArg
	for _, c := range conds {
		c.Value &= limit
		if c.Op == specs.OpMaskedEqual {
			if c.Value == 0 {
				continue
			}
			c.ValueTwo &= c.Value
		}
		out = append(out, c)
	}
	return out
}

// Boxes returns the calls that meet all of conds, which are [Visible].
func Boxes(whole Values, conds []specs.LinuxSeccompArg) []Box {
	out := []Box{Everything(whole)}
	for _, c := range conds {
		var next []Box
		for _, v := range Accepted(whole, c) {
			for _, b := range out {
				b[c.Index] = v
				next = append(next, b)
			}
		}
		out = next
	}
	return out
}

// Accepted returns the values that meet one condition.
func Accepted(whole Values, c specs.LinuxSeccompArg) []Values {
	interval := func(low, high uint64) Values { return Values{Low: low, High: min(high, whole.High)} }
	v := c.Value
	switch c.Op {
	case specs.OpEqualTo:
		return []Values{interval(v, v)}
	case specs.OpNotEqual:
		return whole.Minus(interval(v, v))
	case specs.OpLessThan:
		if v == 0 {
			return nil
		}
		return []Values{interval(0, v-1)}
	case specs.OpLessEqual:
		return []Values{interval(0, v)}
	case specs.OpGreaterEqual:
		return []Values{interval(v, math.MaxUint64)}
	case specs.OpGreaterThan:
		if v >= whole.High {
			return nil
		}
		return []Values{interval(v+1, math.MaxUint64)}
	}
	if masked, ok := (Values{v, c.ValueTwo, 0, whole.High}).tighten(); ok {
		return []Values{masked}
	}
	return nil
}

// Cube returns the condition as value & mask == datum. For MASKED_EQ runtime-spec's
// value is the mask and valueTwo what must be left; of that libseccomp takes the
// bits in the mask.
func Cube(a specs.LinuxSeccompArg) (mask, datum uint64, ok bool) {
	switch a.Op {
	case specs.OpEqualTo:
		return math.MaxUint64, a.Value, true
	case specs.OpMaskedEqual:
		return a.Value, a.ValueTwo & a.Value, true
	}
	return 0, 0, false
}

// Operators are the operators of runtime-spec (config-linux.md, Seccomp).
var Operators = []specs.LinuxSeccompOperator{
	specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo,
	specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual,
}

// Conditions returns conditions of which an argument in v meets exactly one. Where there is
// a choice they mean the same when libseccomp cuts the value to 32 bits. With cubes all are
// equalities.
func Conditions(index uint, v, whole Values, cubes bool) []specs.LinuxSeccompArg {
	one := func(op specs.LinuxSeccompOperator, value, two uint64) []specs.LinuxSeccompArg {
		return []specs.LinuxSeccompArg{{Index: index, Op: op, Value: value, ValueTwo: two}}
	}
	if v.Low == v.High {
		return one(specs.OpEqualTo, v.Low, 0)
	}
	if c, ok := v.cube(); ok && (cubes || v.mask != 0 || v.Low != 0 && v.High != whole.High) {
		return one(specs.OpMaskedEqual, c.mask, c.value)
	}
	if v.mask == 0 && v.Low == 0 && !cubes {
		if v.High == math.MaxUint32 {
			return one(specs.OpLessEqual, v.High, 0)
		}
		return one(specs.OpLessThan, v.High+1, 0) // not <=, which libseccomp takes for a > elsewhere
	}
	if v.mask == 0 && v.High == whole.High && !cubes {
		return one(specs.OpGreaterThan, v.Low-1, 0)
	}
	var out []specs.LinuxSeccompArg
	for low, more := v.Low, true; more; {
		size := bits.TrailingZeros64(low)
		for size == 64 || size > 0 && low+(1<<size-1) > v.High || size > 0 && low+(1<<size-1) < low {
			size--
		}
		last := low + (1<<size - 1)
		if part, ok := v.Intersect(Values{Low: low, High: last}); ok {
			c, _ := part.cube()
			if part.Low == part.High {
				out = append(out, specs.LinuxSeccompArg{Index: index, Op: specs.OpEqualTo, Value: part.Low})
			} else {
				out = append(out, specs.LinuxSeccompArg{Index: index, Op: specs.OpMaskedEqual, Value: c.mask, ValueTwo: c.value})
			}
		}
		low, more = last+1, last < v.High
	}
	return out
}
