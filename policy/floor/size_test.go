package floor_test

import (
	"math/rand/v2"
	"testing"

	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/floor"
)

// TestFloorIsSmall: floors of random pairs have no more rules and conditions, summed up,
// than they had when this was written. A longer result is refused as too large sooner, so
// containers would be refused that start today: explain a new number in the commit, and
// raise it only where exactness pays for it. Another generator needs new numbers.
func TestFloorIsSmall(t *testing.T) {
	floors, rules, conditions := 0, 0, 0
	for i := range 400 {
		r := rand.New(rand.NewPCG(3, uint64(i)))
		out, _, err := floor.Floor(filtertest.Profile(r), filtertest.Profile(r), floor.Limits{})
		if err != nil {
			continue
		}
		floors++
		for _, rule := range out.Seccomp.Syscalls {
			rules += len(rule.Names)
			conditions += len(rule.Names) * len(rule.Args)
		}
	}
	const hadFloors, hadRules, hadConditions = 375, 6268, 8271
	if floors != hadFloors || rules > hadRules || conditions > hadConditions {
		t.Errorf("%d floors have %d rules with %d conditions; they had %d, %d and %d", floors, rules, conditions, hadFloors, hadRules, hadConditions)
	}
}
