package region

import (
	"math"
	"slices"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The kernel reads many arguments as an int or a short, while a filter compares
// all 64 bits of the register. So a rule that denies socket with argument 0 == 1
// says nothing of socket(0x100000001), which the kernel takes for the same call.

// Width is how many bits of an argument the kernel reads.
type Width struct {
	Bits   uint
	signed bool
}

// WidthOf returns the width of a call's argument, by the table that gensignatures makes
// from the kernel's SYSCALL_DEFINEs. An argument that one 64-bit architecture reads whole
// counts as 64 bits wide, and so does one of a call that the table lacks.
func WidthOf(name string, arg uint) Width {
	s := syscalls.Signatures[name]
	if arg >= uint(len(s)) {
		return Width{Bits: 64}
	}
	switch s[arg] {
	case 'i':
		return Width{Bits: 32, signed: true}
	case 'u':
		return Width{Bits: 32}
	case 'h':
		return Width{Bits: 16}
	}
	return Width{Bits: 64}
}

// Narrow reports whether the kernel reads fewer bits than a filter compares.
func (w Width) Narrow() bool { return w.Bits < 64 }

// Mask has the bits that the kernel reads.
func (w Width) Mask() uint64 { return math.MaxUint64 >> (64 - w.Bits) }

// Canonical returns the values that programs and compilers pass: the argument
// with zeros above it and, if it is signed, with copies of its sign.
func (w Width) Canonical() []Values {
	out := []Values{{High: w.Mask()}}
	if w.signed {
		out = append(out, Values{Low: ^(w.Mask() >> 1), High: math.MaxUint64})
	}
	return out
}

// meant returns what the kernel reads of an argument that meets the condition:
// disjoint cubes over the bits that it reads, each of which stands for all
// values of the others. Values that no program passes do not count.
func (w Width) meant(c specs.LinuxSeccompArg) []Values {
	passes := func(form Values) bool { return form.Low <= c.Value && c.Value <= form.High }
	if c.Op == specs.OpNotEqual && slices.ContainsFunc(w.Canonical(), passes) {
		return w.Cubes(All64.Minus(Values{Low: c.Value & w.Mask(), High: c.Value & w.Mask()}), w.Forms(c))
	}
	return w.Cubes(Accepted(All64, c), w.Forms(c))
}

// Forms returns the canonical values that a condition is about: where it compares
// the order with a value that is no negative number, those with zeros above. So
// a rule that denies all above 0xffffffff is about no value that programs pass.
func (w Width) Forms(c specs.LinuxSeccompArg) []Values {
	ordered := c.Op == specs.OpGreaterThan || c.Op == specs.OpGreaterEqual
	if c.Op == specs.OpNotEqual || ordered && c.Value <= math.MaxUint64-w.Mask()-1 {
		return w.Canonical()[:1]
	}
	return w.Canonical()
}

// Cubes cuts the parts of sets that lie in forms into cubes over the low bits.
func (w Width) Cubes(sets, forms []Values) (out []Values) {
	for _, form := range forms {
		for _, set := range sets {
			part, ok := set.Intersect(form)
			if !ok {
				continue
			}
			for _, c := range Conditions(0, part, All64, true) {
				mask, value, _ := Cube(c)
				low := Values{mask: mask & w.Mask(), value: value & w.Mask(), High: math.MaxUint64}
				if low, ok := low.tighten(); ok {
					out = append(out, low)
				}
			}
		}
	}
	return without(out)
}

// without returns cubes of the same meaning of which none lies in another.
func without(cubes []Values) (out []Values) {
	for i, c := range cubes {
		covered := false
		for j, d := range cubes {
			both, ok := c.Intersect(d)
			covered = covered || ok && both == c && (c != d || j < i) && i != j
		}
		if !covered {
			out = append(out, c)
		}
	}
	return out
}

// Passed reports whether high bits, which the kernel does not read, get a call
// past the condition of a rule: out of a strict one, or into a loose one.
func (w Width) Passed(c specs.LinuxSeccompArg, strict bool) bool {
	inside := Accepted(All64, c)
	meant := w.meant(c)
	if strict {
		return !within(meant, inside)
	}
	return !within(inside, meant)
}

// within reports whether each value of inner is in one of outer.
func within(inner, outer []Values) bool {
	for _, v := range inner {
		rest := []Values{v}
		for _, o := range outer {
			var next []Values
			for _, r := range rest {
				next = append(next, r.Minus(o)...)
			}
			rest = next
		}
		if len(rest) > 0 {
			return false
		}
	}
	return true
}

// Low32 returns conditions on the low 32 bits of an argument, of which one must hold for c to hold
// of these bits. holds is set if c always holds.
func Low32(c specs.LinuxSeccompArg) (out []specs.LinuxSeccompArg, holds bool) {
	if c.Op == specs.OpMaskedEqual {
		c.Value &= math.MaxUint32
		c.ValueTwo &= c.Value
		return []specs.LinuxSeccompArg{c}, c.Value == 0
	}
	for _, v := range Accepted(All32, c) {
		if v == All32 {
			return nil, true
		}
		for _, cube := range Conditions(c.Index, v, All32, true) {
			mask, value, _ := Cube(cube)
			out = append(out, specs.LinuxSeccompArg{Index: c.Index, Op: specs.OpMaskedEqual, Value: mask & math.MaxUint32, ValueTwo: value})
		}
	}
	return out, false
}

// Masked returns conditions that hold for what the kernel reads, one of which
// is to take the place of c; none if there is no such list.
func (w Width) Masked(c specs.LinuxSeccompArg) (out []specs.LinuxSeccompArg) {
	for _, v := range w.meant(c) {
		cube, ok := v.cube()
		if !ok || cube.mask == 0 {
			return nil
		}
		out = append(out, specs.LinuxSeccompArg{Index: c.Index, Op: specs.OpMaskedEqual, Value: w.Mask() & cube.mask, ValueTwo: cube.value})
	}
	return out
}
