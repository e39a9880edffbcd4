package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// TestDrill: DRILL containers, some with hundreds of threads, and some that make processes all the
// time, are closed by one command while they run. How long that takes is said, and fails nothing.
func TestDrill(t *testing.T) {
	t.Run("none makes processes", func(t *testing.T) { drill(t, false) })
	t.Run("some make processes", func(t *testing.T) { drill(t, true) })
}

func drill(t *testing.T, churning bool) {
	n := node.Start(t, newest, node.WithQuietLog())
	setPolicy(t, n, "version: 1\nabsent: Unconfined\n")
	count, _ := strconv.Atoi(os.Getenv("DRILL"))
	count = max(count, 12)
	args := []string{"block", "--running", "--json", "--errno", "EACCES", "keyctl"}
	processes := 0
	var all []*node.Created
	for i := range count {
		program, own := []string{"/probe", "await"}, 1
		switch {
		case i%12 == 3: // four processes, 600 threads
			program, own = []string{"/probe", "crowd", "3", "200", "--", "await"}, 4
		case i%12 == 7 && churning: // one that makes others all the time
			program, own = []string{"/probe", "churn", "--", "await"}, 2
		}
		runtime := []string{node.Batten, node.Stock}[i%2]
		c, err := n.Start(node.Run{ID: fmt.Sprintf("drill%d", i), Runtime: runtime, Args: append(program, "--", "call", "keyctl", "i386_keyctl")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Remove)
		awaitChildren(t, n, c, own-1)
		all, args, processes = append(all, c), append(args, "--id", c.ID), processes+own
	}
	began := time.Now()
	out, err := n.Command(append([]string{filepath.Join(node.Root(), "bin", "batten")}, args...)...).CombinedOutput()
	took := time.Since(began)
	var answer blockAnswer
	if jsonErr := json.Unmarshal(out, &answer); err != nil || jsonErr != nil || len(answer.Open) != 0 || answer.Closed != count {
		t.Fatalf("%v, %v\n%s", err, jsonErr, out)
	}
	closed, longest := 0, time.Duration(0)
	for _, c := range answer.Tightened {
		closed, longest = closed+c.Processes, max(longest, c.Stopped)
	}
	if closed < processes {
		t.Errorf("%d processes were closed, of at least %d", closed, processes)
	}
	t.Logf("%d containers with %d processes were closed in %v; the longest stop was %v", count, closed, took, longest)
	for _, c := range all {
		if err := syscall.Kill(int(c.Task.Pid()), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if _, err := c.WaitExit(); err != nil {
			t.Error(err)
		}
		if out := c.Output(); strings.Contains(out, "OK") || strings.Count(out, "keyctl: EACCES") < 2 {
			t.Errorf("%s: a program that ran before the block says\n%s", c.ID, out)
		}
	}
}
