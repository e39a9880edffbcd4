package live_test

import (
	"fmt"
	"time"

	"github.com/batten-runtime/batten/internal/live"
)

// What a process runs under, as the kernel holds it: needs root.
func ExampleRead() {
	filters, err := live.Read(4711, 200*time.Millisecond)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range filters {
		fmt.Println(len(f.Instructions), "instructions")
	}
}
