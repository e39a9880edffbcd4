package profile

import (
	"math"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// visible are the conditions as libseccomp compares them on arch: without
// those whose mask leaves nothing to compare.
func visible(arch specs.Arch, conds []specs.LinuxSeccompArg) []specs.LinuxSeccompArg {
	limit := whole(arch).high
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

// boxes are the calls that meet all of conds, which are [visible].
func boxes(whole values, conds []specs.LinuxSeccompArg) []box {
	out := []box{everything(whole)}
	for _, c := range conds {
		var next []box
		for _, v := range accepted(whole, c) {
			for _, b := range out {
				b[c.Index] = v
				next = append(next, b)
			}
		}
		out = next
	}
	return out
}

// accepted are the values that meet one condition.
func accepted(whole values, c specs.LinuxSeccompArg) []values {
	interval := func(low, high uint64) values { return values{low: low, high: min(high, whole.high)} }
	v := c.Value
	switch c.Op {
	case specs.OpEqualTo:
		return []values{interval(v, v)}
	case specs.OpNotEqual:
		return whole.minus(interval(v, v))
	case specs.OpLessThan:
		if v == 0 {
			return nil
		}
		return []values{interval(0, v-1)}
	case specs.OpLessEqual:
		return []values{interval(0, v)}
	case specs.OpGreaterEqual:
		return []values{interval(v, math.MaxUint64)}
	case specs.OpGreaterThan:
		if v >= whole.high {
			return nil
		}
		return []values{interval(v+1, math.MaxUint64)}
	}
	if masked, ok := (values{v, c.ValueTwo, 0, whole.high}).tighten(); ok {
		return []values{masked}
	}
	return nil
}
