package node

import (
	"os"
	"strconv"
)

// Often is how many times a test does what it does: the number in an environment
// variable, or what a usual run has.
func Often(t T, variable string, usual int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q", variable, text)
	}
	return n
}
