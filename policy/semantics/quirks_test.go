package semantics

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func cond(index uint, op specs.LinuxSeccompOperator, value uint64) specs.LinuxSeccompArg {
	return specs.LinuxSeccompArg{Index: index, Op: op, Value: value}
}

func masked(index uint, mask, value uint64) specs.LinuxSeccompArg {
	return specs.LinuxSeccompArg{Index: index, Op: specs.OpMaskedEqual, Value: mask, ValueTwo: value}
}

const (
	eq, ne = specs.OpEqualTo, specs.OpNotEqual
	lt, le = specs.OpLessThan, specs.OpLessEqual
	gt, ge = specs.OpGreaterThan, specs.OpGreaterEqual
)

// bit32 is the lowest of the high bits.
const bit32 = 1 << 32

func all(conds ...specs.LinuxSeccompArg) []specs.LinuxSeccompArg { return conds }

// entangledCases are rules that libseccomp misreads, each beside one that it reads well.
var entangledCases = []struct {
	name string
	a, b []specs.LinuxSeccompArg
	// same is set where the two have one outcome.
	same, want bool
}{
	{
		name: "goes on after an inequality", a: all(cond(0, gt, 5), cond(1, eq, 1)),
		b: all(cond(0, eq, 7)), want: true,
	},
	{name: "ends with it", a: all(cond(0, gt, 5)), b: all(cond(0, eq, 7))},
	{
		name: "goes on after an equality", a: all(cond(0, eq, 5), cond(1, eq, 1)),
		b: all(cond(0, eq, 7)),
	},
	{
		name: "goes on after a mask", a: all(masked(0, 4, 4), cond(1, eq, 1)),
		b: all(cond(0, eq, 7)),
	},
	{
		name: "goes on, and the other looks at another argument",
		a:    all(cond(0, gt, 5), cond(1, eq, 1)), b: all(cond(2, eq, 7)),
	},
	{
		name: "goes on at the second", a: all(cond(0, eq, 5), cond(1, ne, 1), cond(2, eq, 1)),
		b: all(cond(0, eq, 5), cond(1, eq, 4)), want: true,
	},
	{
		name: "behind a first that differs",
		a:    all(cond(0, eq, 5), cond(1, ne, 1), cond(2, eq, 1)),
		b:    all(cond(0, eq, 6), cond(1, eq, 4)),
	},
	{
		name: "orders of another high half", a: all(cond(0, lt, 5)),
		b: all(cond(0, gt, bit32)), want: true,
	},
	{name: "or equal", a: all(cond(0, le, 5)), b: all(cond(0, ge, bit32)), want: true},
	{name: "of one high half", a: all(cond(0, lt, bit32+5)), b: all(cond(0, gt, bit32))},
	{name: "above, of another high half", a: all(cond(0, gt, 5)), b: all(cond(0, ge, bit32))},
	{name: "below, beside an equality", a: all(cond(0, lt, 5)), b: all(cond(0, eq, bit32))},
	{name: "below, beside an inequality", a: all(cond(0, lt, 5)), b: all(cond(0, ne, bit32))},
	{name: "below, beside a mask", a: all(cond(0, lt, 5)), b: all(masked(0, bit32, bit32))},
	{
		name: "the later is the opposite of the tail", a: all(cond(1, ne, 7)),
		b: all(cond(0, eq, 5), cond(1, eq, 7)), want: true,
	},
	{
		name: "the earlier is, of another outcome", a: all(cond(0, eq, 5), cond(1, eq, 7)),
		b: all(cond(1, ne, 7)),
	},
	{
		name: "the earlier is, of the same", a: all(cond(0, eq, 5), cond(1, eq, 7)),
		b: all(cond(1, ne, 7)), same: true, want: true,
	},
	{
		name: "the other way round", a: all(cond(1, eq, 7)),
		b: all(cond(0, eq, 5), cond(1, ne, 7)), want: true,
	},
	{
		name: "less and not less", a: all(cond(1, ge, 7)),
		b: all(cond(0, eq, 5), cond(1, lt, 7)), want: true,
	},
	{name: "less and more", a: all(cond(1, gt, 7)), b: all(cond(0, eq, 5), cond(1, lt, 7))},
	{
		name: "the opposite of another value", a: all(cond(1, ne, 8)),
		b: all(cond(0, eq, 5), cond(1, eq, 7)),
	},
	{
		name: "the opposite of another argument", a: all(cond(2, ne, 7)),
		b: all(cond(0, eq, 5), cond(1, eq, 7)),
	},
	{
		name: "the opposite of all of it", a: all(cond(1, ne, 7)), b: all(cond(1, eq, 7)),
		same: true,
	},
	{
		name: "alike, then the opposite", a: all(cond(1, eq, 7), cond(2, le, 3)),
		b: all(cond(0, eq, 5), cond(1, eq, 7), cond(2, gt, 3)), want: true,
	},
	{
		name: "alike, then over", a: all(cond(1, eq, 7), cond(2, ne, 3)),
		b: all(cond(0, eq, 5), cond(1, eq, 7)),
	},
	{
		name: "unlike, then the opposite", a: all(cond(1, eq, 8), cond(2, le, 3)),
		b: all(cond(0, eq, 5), cond(1, eq, 7), cond(2, gt, 3)),
	},
	{
		name: "the opposite in the middle of the tail", a: all(cond(2, ne, 1)),
		b: all(cond(0, eq, 5), cond(1, eq, 7), cond(2, eq, 1)), want: true,
	},
}

// What is said of libseccomp in entangled.go, case by case, each beside one that it
// is not said of.
func TestEntangled(t *testing.T) {
	for _, tt := range entangledCases {
		first, second := Outcome{Order: 1}, Outcome{Order: 2}
		if tt.same {
			second = first
		}
		if got := Entangled([]Clause{{Conds: tt.a, Outcome: first}, {place: 1, Conds: tt.b, Outcome: second}}); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestHalved(t *testing.T) {
	short, more := masked(0, 6, 2), cond(1, eq, 1)
	for _, tt := range []struct {
		name string
		long []specs.LinuxSeccompArg
		want bool
	}{
		{
			name: "another value, and goes on",
			long: []specs.LinuxSeccompArg{masked(0, 6, 4), more}, want: true,
		},
		{name: "another value, and ends", long: []specs.LinuxSeccompArg{masked(0, 6, 4)}},
		{name: "the same value", long: []specs.LinuxSeccompArg{short, more}},
		{name: "another mask", long: []specs.LinuxSeccompArg{masked(0, 7, 4), more}},
		{name: "another argument", long: []specs.LinuxSeccompArg{masked(2, 6, 4), cond(3, eq, 1)}},
		{name: "no mask", long: []specs.LinuxSeccompArg{cond(0, eq, 6), more}},
	} {
		if got := Halved([]Clause{{Conds: []specs.LinuxSeccompArg{short}}, {Conds: tt.long}}); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
