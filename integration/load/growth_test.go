package load

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// TestGrowth: a shim that has had many containers, as of a pod whose container is
// restarted for months, has about as many files open as after the first few, and
// threads; what it has in memory is said. GROWTH is how long it goes on for.
func TestGrowth(t *testing.T) {
	n := node.Start(t, engine, node.WithQuietLog())
	run := node.Run{Runtime: node.Batten, Spec: []oci.SpecOpts{oci.WithAnnotations(map[string]string{"io.containerd.runc.v2.group": "g"})}}
	first, err := n.Start(run)
	if err != nil {
		t.Fatal(err)
	}
	shim := first.ShimPid()
	count, limit := node.Often(t, "STORM", 24), howLong(t)
	early, next := use{}, limit/10
	made, begun := 0, time.Now()
	for ; made < count || time.Since(begun) < limit; made++ {
		c, err := n.Start(run)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := c.Exec("/probe", "call", "keyctl"); out != "keyctl: EPERM\n" {
			t.Errorf("an exec says %q (%v)", out, err)
		}
		c.Remove()
		if made == count/4 {
			early = usedBy(t, shim)
			t.Logf("after %d containers %+v", made+1, early)
		}
		if limit > 0 && time.Since(begun) > next {
			t.Logf("after %v and %d containers %+v", next, made+1, usedBy(t, shim))
			next += limit / 10
		}
	}
	late := usedBy(t, shim)
	t.Logf("after %d containers %+v", made, late)
	// A few come and go; one that is lost with each container shows.
	if late.files > early.files+8 || late.threads > early.threads+8 {
		t.Errorf("it grows: %+v, then %+v", early, late)
	}
	first.Remove()
}

// howLong is the time in GROWTH, none where it is not set.
func howLong(t *testing.T) time.Duration {
	text := os.Getenv("GROWTH")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("GROWTH: %v", err)
	}
	return d
}

// use is what a process has.
type use struct{ files, threads, dirtyKiB int }

func usedBy(t *testing.T, pid int) (u use) {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	dirty, err := node.PrivateDirty(pid)
	if err != nil {
		t.Fatal(err)
	}
	return use{len(files), len(threads), dirty}
}
