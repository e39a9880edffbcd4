package integration

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// TestDaemonKilled: containers run on without the daemon, and a new daemon
// finds their shims.
func TestDaemonKilled(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		var running []*node.Created
		for range 3 {
			c, err := n.Start(node.Run{Runtime: node.Batten})
			if err != nil {
				t.Fatal(err)
			}
			running = append(running, c)
		}
		n.KillDaemon()
		for _, c := range running {
			n.WaitForExec(c)
			wantSeccomp(t, "without the daemon", c, "2", "1")
		}
		n.StartDaemon()
		for _, c := range running {
			if err := c.Reload(); err != nil {
				t.Fatalf("the new daemon does not know %s: %v", c.ID, err)
			}
			if out, err := c.Exec("/probe", "call", "getpid", "keyctl"); out != "getpid: OK\nkeyctl: EPERM\n" {
				t.Errorf("exec by the new daemon: %q (%v)", out, err)
			}
			if rec := n.Record(t, node.Namespace, c.ID); rec.Pid != int(c.Task.Pid()) {
				t.Errorf("the record says pid %d, the daemon %d", rec.Pid, c.Task.Pid())
			}
			c.Remove()
		}
		if got := n.Output(node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", "keyctl"}}); got != "keyctl: EPERM\n" {
			t.Errorf("a new container: %q", got)
		}
	})
}

// TestShimKilled: a shim that is killed takes its container and its record
// along, by containerd's "delete".
func TestShimKilled(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		c, err := n.Start(node.Run{Runtime: node.Batten})
		if err != nil {
			t.Fatal(err)
		}
		record := n.Path("/run/batten/" + node.Namespace + "/" + c.ID + ".json")
		if _, err := os.Stat(record); err != nil {
			t.Fatal(err)
		}
		pid := int(c.Task.Pid())
		if err := syscall.Kill(c.ShimPid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		n.Eventually(10*time.Second, "the end of container and record", func() error {
			if _, err := os.Stat(record); err == nil {
				return fmt.Errorf("the record is there")
			}
			if mode, _ := node.Seccomp(pid); mode != "" {
				return fmt.Errorf("the process is there")
			}
			return nil
		})
		c.Remove()
	})
}
