package tighten_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/internal/tighten"
	"golang.org/x/sys/unix"
)

// Every thread goes before others. The test calls itself, so that only that process does.
func TestHurry(t *testing.T) {
	testneeds.Root(t, "setpriority(2)")
	if os.Getenv("HURRY") == "" {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestHurry$")
		cmd.Env = append(os.Environ(), "HURRY=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if err := tighten.Hurry(); err != nil {
		t.Fatal(err)
	}
	threads, err := procfs.Tasks(os.Getpid())
	if err != nil || len(threads) < 2 {
		t.Fatal(threads, err)
	}
	for _, tid := range threads {
		// getpriority(2) returns 20 less the nice value.
		if got, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err != nil || got != 40 {
			t.Errorf("thread %d: %d, %v", tid, 20-got, err)
		}
	}
}
