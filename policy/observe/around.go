package observe

import (
	"math/bits"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/semantics/region"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// manyClauses is how many rules on one call are written with fewer, if that can be done:
// libseccomp takes four times as long for the default profile with 80 rules on
// personality as with 30.
const manyClauses = 40

// fewer returns the clauses of a call with fewer that notify, if they leave out two cubes
// of one argument: all values that agree with one of two numbers in the bits of a mask. The
// default profile's personality is one such call. The clauses that notify may overlap then,
// which those of the algebra do not.
func fewer(clauses []semantics.Clause) []semantics.Clause {
	var others []semantics.Clause
	for _, c := range clauses {
		if c.Outcome != semantics.Notify {
			others = append(others, c)
		}
	}
	if len(clauses) < manyClauses || len(others) != 2 || len(others[0].Conds) != 1 || len(others[1].Conds) != 1 {
		return clauses
	}
	a, b := others[0].Conds[0], others[1].Conds[0]
	maskA, valueA, okA := region.Cube(a)
	maskB, valueB, okB := region.Cube(b)
	if differ := maskA & maskB & (valueA ^ valueB); !okA || !okB || a.Index != b.Index || differ == 0 {
		return clauses
	}
	out := others
	for _, c := range around(maskA, valueA, maskB, valueB) {
		c.Index = a.Index
		out = append(out, semantics.Clause{Conds: []specs.LinuxSeccompArg{c}, Outcome: semantics.Notify})
	}
	if len(out) >= len(clauses) || semantics.Entangled(out) {
		return clauses
	}
	return out
}

// around returns conditions of which a value meets one or more exactly if it is in neither of
// two cubes, which must differ in a bit that both masks have.
func around(maskA, valueA, maskB, valueB uint64) (out []specs.LinuxSeccompArg) {
	const high = 0xffffffff << 32
	valueA, valueB = valueA&maskA, valueB&maskB
	differ := maskA & maskB & (valueA ^ valueB)
	same := maskA & maskB &^ differ
	if same&high == high && valueA&high == 0 {
		out = append(out, specs.LinuxSeccompArg{Value: 0xffffffff, Op: specs.OpGreaterThan})
		same &^= high
	}
	for b := range each(same) {
		out = append(out, masked(b, ^valueA&b))
	}
	// In the bits in which the cubes differ, a value that is in one of them has all bits of
	// that one. Any other changes sides somewhere on the way round.
	last := uint64(1) << (63 - bits.LeadingZeros64(differ))
	if differ != last {
		for b := range each(differ) {
			out = append(out, masked(last|b, ^valueA&last|^valueB&b))
			last = b
		}
	}
	// It has all of A's, and differs from A elsewhere; or B's, and from B.
	for _, cube := range [2]struct{ mask, value, own uint64 }{{maskA, valueA, maskA &^ maskB}, {maskB, valueB, maskB &^ maskA}} {
		for b := range each(cube.own) {
			out = append(out, masked(b|last, ^cube.value&b|cube.value&last))
		}
	}
	return out
}

func masked(mask, value uint64) specs.LinuxSeccompArg {
	return specs.LinuxSeccompArg{Value: mask, ValueTwo: value & mask, Op: specs.OpMaskedEqual}
}

// each returns the bits of a mask, one at a time, from the lowest to the highest.
func each(mask uint64) func(yield func(uint64) bool) {
	return func(yield func(uint64) bool) {
		for ; mask != 0; mask &= mask - 1 {
			if !yield(mask & -mask) {
				return
			}
		}
	}
}
