package procfs_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
)

// A process that ends while it is looked at is gone, and is not one whose namespaces are unknown.
func TestReadEnding(t *testing.T) {
	deadline := time.Now().Add(time.Second)
	for time.Now().Before(deadline) {
		cmd := exec.Command("true")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for {
			p, err := procfs.Read("/proc", cmd.Process.Pid)
			if err == procfs.ErrGone {
				break
			}
			if err != nil || p.Mounts == "" {
				t.Fatalf("%+v, %v", p, err)
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}
