package tighten_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

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
	const limit = time.Second
	if err := tighten.Hurry(limit); err != nil {
		t.Fatal(err)
	}
	if first := policiesOf(t); len(first) != 1 {
		t.Errorf("the threads differ: %v", first)
	}
	time.Sleep(limit + limit/2)
	if later := policiesOf(t); len(later) != 1 || !later[unix.SCHED_NORMAL] {
		t.Errorf("when its time is over: %v", later)
	}
}

// policiesOf returns how this process's threads are scheduled: before others.
func policiesOf(t *testing.T) map[uint32]bool {
	t.Helper()
	threads, err := procfs.Tasks(os.Getpid())
	if err != nil || len(threads) < 2 {
		t.Fatal(threads, err)
	}
	policies := make(map[uint32]bool)
	for _, tid := range threads {
		attr, err := unix.SchedGetAttr(tid, 0)
		if err != nil {
			t.Fatal(err)
		}
		policies[attr.Policy] = true
		if attr.Policy != unix.SCHED_RR && attr.Nice != -20 {
			t.Errorf("thread %d: %+v", tid, attr)
		}
	}
	return policies
}
