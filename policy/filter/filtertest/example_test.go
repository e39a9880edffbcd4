package filtertest_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"

	"github.com/batten-runtime/batten/policy/filter/filtertest"
)

// The same seed makes the same profiles.
func ExampleProfile() {
	one, same := rand.New(rand.NewPCG(8, 1)), rand.New(rand.NewPCG(8, 1))
	fmt.Println(reflect.DeepEqual(filtertest.Profile(one), filtertest.Profile(same)))
	// Output: true
}
