package recorder_test

import (
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/recorder"
)

// What is started in a mount namespace of its own is recorded until somebody says that it is of no
// interest.
func Example() {
	r, err := recorder.Open(recorder.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close() // nothing is left to do
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if err := cmd.Run(); err != nil {
		fmt.Println(err)
		return
	}
	for {
		n, err := r.Next(time.Now().Add(time.Second))
		if err != nil {
			fmt.Println(err)
			return
		}
		if n.Pid != cmd.Process.Pid {
			continue // another of this machine
		}
		calls, err := r.Calls(n.Tag)
		fmt.Println(calls[len(calls)-1].Program, err)
		return
	}
	// Output: true <nil>
}
