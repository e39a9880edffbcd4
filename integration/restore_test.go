package integration

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestRestore: a checkpoint brings its own filter, so it is refused unless
// the policy allows it, and then goes to the runtime as a restore. (criu does
// not run on every kernel: the way ends at the runtime here.)
func TestRestore(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		runc, log := recordingRunc(t, n)
		create := func(policy string) (*node.Created, error) {
			setPolicy(t, n, policy)
			return n.Restore(node.Run{Runtime: node.Batten, Options: tomlOptions(`BinaryName = "` + runc + `"`)})
		}
		c, err := create("version: 1\n")
		wantError(t, "denied", err, `batten: container refused: policy "/etc/batten/policy.yaml": restore is Deny: a checkpoint brings a seccomp filter of its own, which the policy cannot see; start the container anew, or write restore: Allow`)
		c.Remove()
		if got, _ := os.ReadFile(log); strings.Contains(string(got), "restore") {
			t.Errorf("the runtime was asked:\n%s", got)
		}
		checkCheckpoint(t, n, runc, log)
		c, err = create("version: 1\nrestore: Allow\n")
		if err != nil {
			t.Fatalf("allowed: %v", err)
		}
		if rec := n.Record(t, node.Namespace, c.ID); len(rec.Notes) == 0 || !strings.Contains(strings.Join(rec.Notes, ";"), "restored") {
			t.Errorf("the record does not tell of the restore: %q", rec.Notes)
		}
		if err := c.StartTask(); err == nil {
			t.Error("a checkpoint of nothing was restored")
		}
		if got, _ := os.ReadFile(log); !strings.Contains(string(got), " restore ") {
			t.Errorf("the runtime was not asked to restore:\n%s", got)
		}
		c.Remove()
	})
}

// checkCheckpoint: asking for a checkpoint goes to the runtime as ever.
func checkCheckpoint(t *testing.T, n *node.Node, runc, log string) {
	t.Helper()
	c, err := n.Start(node.Run{Runtime: node.Batten, Options: tomlOptions(`BinaryName = "` + runc + `"`)})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Task.Checkpoint(context.Background()) // criu may be missing
	if got, _ := os.ReadFile(log); !strings.Contains(string(got), " checkpoint ") {
		t.Errorf("the runtime was not asked for a checkpoint:\n%s", got)
	}
	c.Remove()
}
