package live_test

import (
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/batten-runtime/batten/internal/live"
)

// What a process runs under, as the kernel holds it. This one has ended.
func ExampleRead() {
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		fmt.Println(err)
		return
	}
	filters, err := live.Read(cmd.Process.Pid, 200*time.Millisecond)
	for _, f := range filters {
		fmt.Println(len(f.Instructions), "instructions")
	}
	fmt.Println(errors.Is(err, live.ErrGone))
	// Output: true
}
