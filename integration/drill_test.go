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

// TestDrill: DRILL containers, some with hundreds of threads, some that make processes all the time,
// and programs of Go and of Python and a benchmark that work meanwhile, are closed by one command
// while they run. How long that takes is said, and fails nothing.
func TestDrill(t *testing.T) {
	t.Run("none makes processes", func(t *testing.T) { drill(t, false) })
	t.Run("some make processes", func(t *testing.T) { drill(t, true) })
}

func drill(t *testing.T, churning bool) {
	n := node.Start(t, newest, node.WithQuietLog())
	setPolicy(t, n, "version: 1\nabsent: Unconfined\n")
	count, _ := strconv.Atoi(os.Getenv("DRILL"))
	count = max(count, 12)
	args := []string{"block", "--running", "--json", "--errno", "EACCES", "keyctl", "socket(AF_ALG)"}
	processes := 0
	work, spec := workers(t, n)
	var all []*drilled
	for i := range count {
		d := &drilled{}
		run := node.Run{ID: fmt.Sprintf("drill%d", i), Runtime: []string{node.Batten, node.Stock}[i%2]}
		program, own := []string{"/probe", "await"}, 1
		switch {
		case i%12 == 3: // four processes, 600 threads
			program, own = []string{"/probe", "crowd", "3", "200", "--", "await"}, 4
		case i%12 == 7 && churning: // one that makes others all the time
			program, own = []string{"/probe", "churn", "--", "await"}, 2
		case i%12 == 1:
			d.worker = &work[0]
		case i%12 == 5:
			d.worker = &work[1]
		case i%12 == 10:
			d.worker = &work[2]
		case i == 8:
			d.worker = &work[3]
		}
		run.Args = append(append(program, "--", "call"), closed...)
		if d.worker != nil {
			run.Args, run.Spec, own = d.worker.args, spec, d.worker.processes
		}
		var err error
		if d.Created, err = n.Start(run); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Remove)
		if d.worker != nil {
			awaitWorker(t, n, d.Created)
		}
		awaitChildren(t, n, d.Created, own-1)
		all, args, processes = append(all, d), append(args, "--id", d.ID), processes+own
	}
	began := time.Now()
	out, err := n.Command(append([]string{filepath.Join(node.Root(), "bin", "batten")}, args...)...).CombinedOutput()
	took := time.Since(began)
	var answer blockAnswer
	if jsonErr := json.Unmarshal(out, &answer); err != nil || jsonErr != nil || len(answer.Open) != 0 || answer.Closed != count {
		t.Fatalf("%v, %v\n%s", err, jsonErr, out)
	}
	given, longest := 0, time.Duration(0)
	for _, c := range answer.Tightened {
		t.Logf("%s: %d processes, stopped for %v", c.ID, c.Processes, c.Stopped)
		given, longest = given+c.Processes, max(longest, c.Stopped)
	}
	if given < processes {
		t.Errorf("%d processes were closed, of at least %d", given, processes)
	}
	t.Logf("%d containers with %d processes were closed in %v; the longest stop was %v", count, given, took, longest)
	for _, d := range all {
		d.check(t, n)
	}
}

// drilled is a container of the drill: the probe, or a program that works.
type drilled struct {
	*node.Created
	worker *worker
}

// check has the container's processes make the calls.
func (d *drilled) check(t *testing.T, n *node.Node) {
	t.Helper()
	if d.worker != nil {
		d.worker.check(t, n, d.Created)
		return
	}
	if err := syscall.Kill(int(d.Task.Pid()), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status, err := d.WaitExit(); err != nil || status != 0 {
		t.Errorf("%s: status %d, %v", d.ID, status, err)
	}
	n.Eventually(10*time.Second, "the output of "+d.ID, func() error {
		if out := d.Output(); !strings.Contains(out, closed[len(closed)-1]) {
			return fmt.Errorf("it says %q", out)
		}
		return nil
	})
	made := make(map[string]bool)
	for line := range strings.Lines(d.Output()) {
		call, came, _ := strings.Cut(line, ": ")
		made[call] = true
		if came != "EACCES\n" {
			t.Errorf("%s: a program that ran before the block says %s", d.ID, line)
		}
	}
	if len(made) != len(closed) {
		t.Errorf("%s: it has made %v", d.ID, made)
	}
}

// closed are the calls that the drill closes, as the probe makes them.
var closed = []string{"keyctl", "i386_keyctl", "alg", "i386_alg", "socketcall_alg"}
