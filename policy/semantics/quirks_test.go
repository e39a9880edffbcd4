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

// What is said of libseccomp in entangled.go, case by case, each beside one that it
// is not said of.
func TestEntangled(t *testing.T) {
	const high = 1 << 32
	list := func(conds ...specs.LinuxSeccompArg) []specs.LinuxSeccompArg { return conds }
	for _, tt := range []struct {
		name string
		a, b []specs.LinuxSeccompArg
		// same is set where the two have one outcome.
		same, want bool
	}{
		{
			name: "goes on after an inequality", a: list(cond(0, gt, 5), cond(1, eq, 1)),
			b: list(cond(0, eq, 7)), want: true,
		},
		{name: "ends with it", a: list(cond(0, gt, 5)), b: list(cond(0, eq, 7))},
		{
			name: "goes on after an equality", a: list(cond(0, eq, 5), cond(1, eq, 1)),
			b: list(cond(0, eq, 7)),
		},
		{
			name: "goes on after a mask", a: list(masked(0, 4, 4), cond(1, eq, 1)),
			b: list(cond(0, eq, 7)),
		},
		{
			name: "goes on, and the other looks at another argument",
			a:    list(cond(0, gt, 5), cond(1, eq, 1)), b: list(cond(2, eq, 7)),
		},
		{
			name: "goes on at the second", a: list(cond(0, eq, 5), cond(1, ne, 1), cond(2, eq, 1)),
			b: list(cond(0, eq, 5), cond(1, eq, 4)), want: true,
		},
		{
			name: "behind a first that differs",
			a:    list(cond(0, eq, 5), cond(1, ne, 1), cond(2, eq, 1)),
			b:    list(cond(0, eq, 6), cond(1, eq, 4)),
		},
		{
			name: "orders of another high half", a: list(cond(0, lt, 5)),
			b: list(cond(0, gt, high)), want: true,
		},
		{name: "or equal", a: list(cond(0, le, 5)), b: list(cond(0, ge, high)), want: true},
		{name: "of one high half", a: list(cond(0, lt, high+5)), b: list(cond(0, gt, high))},
		{name: "above, of another high half", a: list(cond(0, gt, 5)), b: list(cond(0, ge, high))},
		{name: "below, beside an equality", a: list(cond(0, lt, 5)), b: list(cond(0, eq, high))},
		{name: "below, beside an inequality", a: list(cond(0, lt, 5)), b: list(cond(0, ne, high))},
		{name: "below, beside a mask", a: list(cond(0, lt, 5)), b: list(masked(0, high, high))},
		{
			name: "the later is the opposite of the tail", a: list(cond(1, ne, 7)),
			b: list(cond(0, eq, 5), cond(1, eq, 7)), want: true,
		},
		{
			name: "the earlier is, of another outcome", a: list(cond(0, eq, 5), cond(1, eq, 7)),
			b: list(cond(1, ne, 7)),
		},
		{
			name: "the earlier is, of the same", a: list(cond(0, eq, 5), cond(1, eq, 7)),
			b: list(cond(1, ne, 7)), same: true, want: true,
		},
		{
			name: "the other way round", a: list(cond(1, eq, 7)),
			b: list(cond(0, eq, 5), cond(1, ne, 7)), want: true,
		},
		{
			name: "less and not less", a: list(cond(1, ge, 7)),
			b: list(cond(0, eq, 5), cond(1, lt, 7)), want: true,
		},
		{name: "less and more", a: list(cond(1, gt, 7)), b: list(cond(0, eq, 5), cond(1, lt, 7))},
		{
			name: "the opposite of another value", a: list(cond(1, ne, 8)),
			b: list(cond(0, eq, 5), cond(1, eq, 7)),
		},
		{
			name: "the opposite of another argument", a: list(cond(2, ne, 7)),
			b: list(cond(0, eq, 5), cond(1, eq, 7)),
		},
		{
			name: "the opposite of all of it", a: list(cond(1, ne, 7)), b: list(cond(1, eq, 7)),
			same: true,
		},
		{
			name: "alike, then the opposite", a: list(cond(1, eq, 7), cond(2, le, 3)),
			b: list(cond(0, eq, 5), cond(1, eq, 7), cond(2, gt, 3)), want: true,
		},
		{
			name: "alike, then over", a: list(cond(1, eq, 7), cond(2, ne, 3)),
			b: list(cond(0, eq, 5), cond(1, eq, 7)),
		},
		{
			name: "unlike, then the opposite", a: list(cond(1, eq, 8), cond(2, le, 3)),
			b: list(cond(0, eq, 5), cond(1, eq, 7), cond(2, gt, 3)),
		},
		{
			name: "the opposite in the middle of the tail", a: list(cond(2, ne, 1)),
			b: list(cond(0, eq, 5), cond(1, eq, 7), cond(2, eq, 1)), want: true,
		},
	} {
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
