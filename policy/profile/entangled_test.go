package profile

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
		{"goes on after an inequality", list(cond(0, gt, 5), cond(1, eq, 1)), list(cond(0, eq, 7)), false, true},
		{"ends with it", list(cond(0, gt, 5)), list(cond(0, eq, 7)), false, false},
		{"goes on after an equality", list(cond(0, eq, 5), cond(1, eq, 1)), list(cond(0, eq, 7)), false, false},
		{"goes on after a mask", list(masked(0, 4, 4), cond(1, eq, 1)), list(cond(0, eq, 7)), false, false},
		{"goes on, and the other looks at another argument", list(cond(0, gt, 5), cond(1, eq, 1)), list(cond(2, eq, 7)), false, false},
		{"goes on at the second", list(cond(0, eq, 5), cond(1, ne, 1), cond(2, eq, 1)), list(cond(0, eq, 5), cond(1, eq, 4)), false, true},
		{"behind a first that differs", list(cond(0, eq, 5), cond(1, ne, 1), cond(2, eq, 1)), list(cond(0, eq, 6), cond(1, eq, 4)), false, false},
		{"orders of another high half", list(cond(0, lt, 5)), list(cond(0, gt, high)), false, true},
		{"or equal", list(cond(0, le, 5)), list(cond(0, ge, high)), false, true},
		{"of one high half", list(cond(0, lt, high+5)), list(cond(0, gt, high)), false, false},
		{"above, of another high half", list(cond(0, gt, 5)), list(cond(0, ge, high)), false, false},
		{"below, beside an equality", list(cond(0, lt, 5)), list(cond(0, eq, high)), false, false},
		{"below, beside an inequality", list(cond(0, lt, 5)), list(cond(0, ne, high)), false, false},
		{"below, beside a mask", list(cond(0, lt, 5)), list(masked(0, high, high)), false, false},
		{"the later is the opposite of the tail", list(cond(1, ne, 7)), list(cond(0, eq, 5), cond(1, eq, 7)), false, true},
		{"the earlier is, of another outcome", list(cond(0, eq, 5), cond(1, eq, 7)), list(cond(1, ne, 7)), false, false},
		{"the earlier is, of the same", list(cond(0, eq, 5), cond(1, eq, 7)), list(cond(1, ne, 7)), true, true},
		{"the other way round", list(cond(1, eq, 7)), list(cond(0, eq, 5), cond(1, ne, 7)), false, true},
		{"less and not less", list(cond(1, ge, 7)), list(cond(0, eq, 5), cond(1, lt, 7)), false, true},
		{"less and more", list(cond(1, gt, 7)), list(cond(0, eq, 5), cond(1, lt, 7)), false, false},
		{"the opposite of another value", list(cond(1, ne, 8)), list(cond(0, eq, 5), cond(1, eq, 7)), false, false},
		{"the opposite of another argument", list(cond(2, ne, 7)), list(cond(0, eq, 5), cond(1, eq, 7)), false, false},
		{"the opposite of all of it", list(cond(1, ne, 7)), list(cond(1, eq, 7)), true, false},
		{"alike, then the opposite", list(cond(1, eq, 7), cond(2, le, 3)), list(cond(0, eq, 5), cond(1, eq, 7), cond(2, gt, 3)), false, true},
		{"alike, then over", list(cond(1, eq, 7), cond(2, ne, 3)), list(cond(0, eq, 5), cond(1, eq, 7)), false, false},
		{"unlike, then the opposite", list(cond(1, eq, 8), cond(2, le, 3)), list(cond(0, eq, 5), cond(1, eq, 7), cond(2, gt, 3)), false, false},
		{"the opposite in the middle of the tail", list(cond(2, ne, 1)), list(cond(0, eq, 5), cond(1, eq, 7), cond(2, eq, 1)), false, true},
	} {
		first, second := outcome{order: 1}, outcome{order: 2}
		if tt.same {
			second = first
		}
		if got := entangled([]clause{{0, tt.a, first}, {1, tt.b, second}}); got != tt.want {
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
		{"another value, and goes on", []specs.LinuxSeccompArg{masked(0, 6, 4), more}, true},
		{"another value, and ends", []specs.LinuxSeccompArg{masked(0, 6, 4)}, false},
		{"the same value", []specs.LinuxSeccompArg{short, more}, false},
		{"another mask", []specs.LinuxSeccompArg{masked(0, 7, 4), more}, false},
		{"another argument", []specs.LinuxSeccompArg{masked(2, 6, 4), cond(3, eq, 1)}, false},
		{"no mask", []specs.LinuxSeccompArg{cond(0, eq, 6), more}, false},
	} {
		if got := halved([]clause{{conds: []specs.LinuxSeccompArg{short}}, {conds: tt.long}}); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
