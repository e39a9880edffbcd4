package region_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/batten-runtime/batten/policy/semantics/region"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExampleBoxes() {
	clone := []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpMaskedEqual, Value: 0x7e020000}}
	allowed := region.Boxes(region.All64, region.Visible(region.All64, clone))
	fmt.Println(allowed[0].Has([6]uint64{0x11}), allowed[0].Has([6]uint64{0x10000000}))

	denied := region.Everything(region.All64).Minus(allowed[0])
	fmt.Println(len(denied), "disjoint boxes hold the other calls")
	// Output:
	// true false
	// 7 disjoint boxes hold the other calls
}

// condition returns a random condition on argument 0, as libseccomp sees it, with a value
// near the places where carries and cuts happen.
func condition(r *rand.Rand) specs.LinuxSeccompArg {
	for {
		c := specs.LinuxSeccompArg{Op: region.Operators[r.IntN(len(region.Operators))], Value: value(r), ValueTwo: value(r)}
		if seen := region.Visible(region.All64, []specs.LinuxSeccompArg{c}); len(seen) > 0 {
			return seen[0]
		}
	}
}

func value(r *rand.Rand) uint64 {
	near := []uint64{0, 1, 7, 8, math.MaxUint32, math.MaxUint32 + 1, 1 << 63, math.MaxUint64}
	return near[r.IntN(len(near))] + r.Uint64N(3) - 1
}

// meets is the condition as seccomp_rule_add(3) describes it.
func meets(c specs.LinuxSeccompArg, x uint64) bool {
	switch c.Op {
	case specs.OpEqualTo:
		return x == c.Value
	case specs.OpNotEqual:
		return x != c.Value
	case specs.OpLessThan:
		return x < c.Value
	case specs.OpLessEqual:
		return x <= c.Value
	case specs.OpGreaterThan:
		return x > c.Value
	case specs.OpGreaterEqual:
		return x >= c.Value
	}
	return x&c.Value == c.ValueTwo
}

// in counts the sets that have x.
func in(sets []region.Values, x uint64) (n int) {
	for _, v := range sets {
		b := region.Everything(region.All64)
		b[0] = v
		if b.Has([6]uint64{x}) {
			n++
		}
	}
	return n
}

// points are where a mistake would show: near the conditions' own values.
func points(r *rand.Rand, cs ...specs.LinuxSeccompArg) (out []uint64) {
	for _, c := range cs {
		for _, v := range []uint64{c.Value, c.ValueTwo, c.ValueTwo | ^c.Value, c.Value ^ c.ValueTwo} {
			out = append(out, v-1, v, v+1, v^1<<r.UintN(64))
		}
	}
	return append(out, value(r), r.Uint64(), 0, math.MaxUint64)
}

// Accepted, Minus, Intersect and Union say of each value what the conditions say, and the
// conditions that Conditions writes hold for the same values.
func TestValuesAgreeWithConditions(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 20_000 {
		a, b := condition(r), condition(r)
		inA, inB := region.Accepted(region.All64, a), region.Accepted(region.All64, b)
		for _, x := range points(r, a, b) {
			want := 0
			if meets(a, x) {
				want = 1
			}
			if got := in(inA, x); got != want {
				t.Fatalf("%+v: %d sets have %#x, want %d", a, got, x, want)
			}
			for _, v := range inA {
				own := in([]region.Values{v}, x)
				written := 0
				for _, c := range region.Conditions(0, v, region.All64, r.IntN(2) == 0) {
					if meets(c, x) {
						written++
					}
				}
				if v != region.All64 && written != own {
					t.Fatalf("%+v, written as conditions: %d hold for %#x, want %d", v, written, x, own)
				}
				for _, w := range inB {
					checkPair(t, v, w, x)
				}
			}
		}
	}
}

func checkPair(t *testing.T, v, w region.Values, x uint64) {
	t.Helper()
	inV, inW := in([]region.Values{v}, x), in([]region.Values{w}, x)
	both, ok := v.Intersect(w)
	if got := in([]region.Values{both}, x); ok && got != inV*inW || !ok && inV*inW != 0 {
		t.Fatalf("%+v and %+v: Intersect has %#x %d times (%v), want %d", v, w, x, got, ok, inV*inW)
	}
	if got, want := in(v.Minus(w), x), inV*(1-inW); got != want {
		t.Fatalf("%+v and %+v: Minus has %#x %d times, want %d", v, w, x, got, want)
	}
	if ok {
		return // Union is for sets that share nothing
	}
	if u, ok := v.Union(w); ok {
		if got := in([]region.Values{u}, x); got != inV+inW {
			t.Fatalf("%+v and %+v: Union has %#x %d times, want %d", v, w, x, got, inV+inW)
		}
	}
}

func TestWidthOf(t *testing.T) {
	for _, tt := range []struct {
		call   string
		arg    uint
		bits   uint
		narrow bool
	}{
		{call: "socket", arg: 0, bits: 32, narrow: true},
		{call: "read", arg: 1, bits: 64},
		{call: "no_such_call", arg: 0, bits: 64},
		{call: "socket", arg: 5, bits: 64},
	} {
		if w := region.WidthOf(tt.call, tt.arg); w.Bits != tt.bits || w.Narrow() != tt.narrow {
			t.Errorf("%s, argument %d: got %d bits", tt.call, tt.arg, w.Bits)
		}
	}
}

// A condition that high bits get past has another that they do not.
func TestMasked(t *testing.T) {
	deny := specs.LinuxSeccompArg{Index: 0, Op: specs.OpEqualTo, Value: 38}
	w := region.WidthOf("socket", 0)
	if !w.Passed(deny, true) {
		t.Error("socket(38 with high bits) is said to meet the condition == 38")
	}
	masked := w.Masked(deny)
	if len(masked) != 1 || w.Passed(masked[0], true) || !meets(masked[0], 1<<32|38) || meets(masked[0], 39) {
		t.Errorf("in its place: %+v", masked)
	}
}
