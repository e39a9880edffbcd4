package observe

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/denials"
)

const (
	engine = "containerd-2.4"
	// patience is what a busy machine may take for anything here.
	patience = time.Minute
)

// answers are what a denied call gets by the policy that sees it.
var answers = map[string]string{"counted": "EPERM", "audited": "OK"}

// start starts a container under a policy, and waits until it runs its program.
func start(t *testing.T, n *node.Node, policy string, run node.Run) *node.Created {
	t.Helper()
	setPolicy(t, n, policies[policy])
	run.Runtime = node.Batten
	c, err := n.Start(run)
	if err != nil {
		t.Fatal(err)
	}
	n.WaitForExec(c)
	if mode, _ := c.Seccomp(); mode != "2" {
		t.Errorf("Seccomp: %s", mode)
	}
	return c
}

// callsOf returns how often a container's calls of a name were denied, as its file says.
func callsOf(n *node.Node, c *node.Created, call string) (sum uint64, err error) {
	counts, err := denials.Store{Dir: n.Path("/run/batten")}.Read(node.Namespace, c.ID)
	if err != nil {
		return 0, err
	}
	if counts.Broken != "" {
		return 0, fmt.Errorf("broken: %s", counts.Broken)
	}
	for _, d := range counts.Denials {
		if d.Syscall == call {
			sum += d.Count
		}
	}
	return sum, nil
}

// wantExec has an exec make a call that is denied.
func wantExec(t *testing.T, c *node.Created, want string) {
	t.Helper()
	if out, err := c.Exec("/probe", "call", "keyctl"); err != nil || out != "keyctl: "+want+"\n" {
		t.Errorf("exec: %q (%v), want %s", out, err, want)
	}
}

// wantNothing: nothing is left of the namespace's containers.
func wantNothing(n *node.Node) {
	n.Eventually(patience, "nothing to be left", func() error {
		if left, _ := filepath.Glob(n.Path("/run/batten/" + node.Namespace + "/*")); len(left) > 0 { // hidden files, too
			return fmt.Errorf("left: %q", left)
		}
		return nil
	})
}
