package explain_test

import (
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/internal/explain"
	"github.com/batten-runtime/batten/internal/manifest"
)

// A container that says nothing of capabilities gets CRI's defaults.
func ExampleBounding() {
	caps := explain.Bounding(manifest.Container{})
	fmt.Println(slices.Contains(caps, "CAP_CHOWN"), slices.Contains(caps, "CAP_SYS_ADMIN"))
	// Output:
	// true false
}
