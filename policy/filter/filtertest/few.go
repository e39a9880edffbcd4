package filtertest

import "testing"

// Few returns a tenth of n with -short, and under the race detector, which finds nothing in the
// one goroutine of such a test and takes five times as long: make unit runs them without it, too.
func Few(n int) int {
	if testing.Short() || raced {
		return n / 10
	}
	return n
}
