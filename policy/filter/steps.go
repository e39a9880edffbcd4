package filter

import "fmt"

// maxSteps is how many steps a comparison of filters may take: diagrams of some
// conditions grow without end. Real profiles take less than a twentieth of it
// (TestSteps).
const maxSteps = 500_000

// errSteps is the error for a comparison that takes more. A step panics with it and
// [limited] returns it, because the functions on diagrams have no error to return.
var errSteps = fmt.Errorf("the conditions of the filters take more than the %d steps that Batten spends on comparing them; give rules fewer conditions", maxSteps)

// step counts one step.
func (s *space) step() {
	if s.left--; s.left < 0 {
		panic(errSteps)
	}
}

// limited turns a panic with errSteps into an error. Defer it.
func limited(err *error) {
	switch r := recover(); r {
	case nil:
	case any(errSteps):
		*err = errSteps
	default:
		panic(r)
	}
}
