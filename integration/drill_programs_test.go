package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/integration/programs"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// benchmark runs redis-benchmark again and again until SIGTERM, after which a process makes the call.
// A run that fails ends it, and so does an error that it writes.
const benchmark = `cd /tmp; trap 'touch stop' TERM; redis-server --port 0 --unixsocket /tmp/r --save '' >/dev/null &
until redis-cli -s /tmp/r ping >/dev/null 2>&1; do sleep 0.05; done
call() { out=$(/probe call alg); echo "$1:${out#alg:}"; }
call before; echo ready; n=0
until [ -e stop ]; do
	redis-benchmark -s /tmp/r -c 20 -n 50000 -t get --csv >out 2>&1 || { echo "harmed: $(cat out)"; exit 1; }
	case $(cat out) in *rror*) echo "harmed: $(cat out)"; exit 1 ;; esac
	n=$((n+1))
done
call AF_ALG; redis-cli -s /tmp/r shutdown nosave; wait; echo "benchmarks: $n"; echo unharmed`

// worker is a program that works on while a call is closed to it: it says "ready" and, after SIGTERM,
// what the call comes to, and "unharmed".
type worker struct {
	name string
	args []string
	// processes are how many there are at least, and attempts how often the call is made.
	processes, attempts int
}

// workers are programs of Go, of Python, of JavaScript and a benchmark, and how they are started.
func workers(t *testing.T, n *node.Node) ([]worker, []oci.SpecOpts) {
	t.Helper()
	dir := filepath.Join(node.Root(), "integration/testdata/drill")
	program := filepath.Join(n.Dir, "drill")
	build := exec.Command("go", "build", "-o", program, dir)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var mounts []specs.Mount
	for to, from := range map[string]string{"/drill": program, "/drill.py": filepath.Join(dir, "drill.py"), "/drill.js": filepath.Join(dir, "drill.js")} {
		mounts = append(mounts, specs.Mount{Source: from, Destination: to, Type: "bind", Options: []string{"rbind", "ro"}})
	}
	return []worker{
		{name: "go", args: []string{"/drill"}, processes: 1, attempts: 32},
		{name: "python", args: []string{"/usr/bin/python3", "/drill.py"}, processes: 1, attempts: 25},
		{name: "node", args: []string{"/usr/bin/node", "/drill.js"}, processes: 1, attempts: 7},
		{name: "benchmark", args: []string{"/bin/sh", "-c", benchmark}, processes: 2, attempts: 1},
	}, programs.Installed(t, n.Dir).Spec(programs.Program{}, mounts...)
}

// awaitWorker waits until a worker works, and has tried the call: nobody denies it yet.
func awaitWorker(t *testing.T, n *node.Node, c *node.Created) {
	t.Helper()
	n.Eventually(30*time.Second, "a program that works", func() error {
		if out := c.Output(); !strings.Contains(out, "ready\n") {
			return fmt.Errorf("it says %q", out)
		}
		return nil
	})
	if out := c.Output(); strings.Contains(out, "EACCES") || !strings.Contains(out, "before: ") {
		t.Fatalf("before the block:\n%s", out)
	}
}

// check has a worker make the call: it is closed to each of its threads, and all that it does goes on.
func (w *worker) check(t *testing.T, n *node.Node, c *node.Created) {
	t.Helper()
	if err := syscall.Kill(int(c.Task.Pid()), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	status, err := c.WaitExit()
	n.Eventually(10*time.Second, "its output", func() error {
		if out := c.Output(); !strings.Contains(out, "unharmed\n") && !strings.Contains(out, "harmed: ") {
			return fmt.Errorf("status %d, %v: %s", status, err, out)
		}
		return nil
	})
	out := c.Output()
	if err != nil || status != 0 || !strings.Contains(out, "\nunharmed\n") ||
		strings.Count(out, "AF_ALG: ") != w.attempts || strings.Count(out, "AF_ALG: EACCES\n") != w.attempts {
		t.Errorf("%s, %s: status %d, %v; a program that ran before the block says\n%s", c.ID, w.name, status, err, out)
	}
}
