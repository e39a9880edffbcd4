package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// TestStatusApart: a container that bypasses Batten is not proved by the strict filter that
// its first process has installed, while another process runs with a loose one.
func TestStatusApart(t *testing.T) {
	n := node.Start(t, newest)
	c, err := n.Start(node.Run{Runtime: node.Stock, Args: []string{"/probe", "call", "apart"}})
	if err != nil {
		t.Fatal(err)
	}
	n.Eventually(10*time.Second, "two filters", func() error {
		mode, _ := c.Seccomp()
		if out := c.Output(); out != "child: OK\n" || mode != "2" {
			return fmt.Errorf("the child says %q, Seccomp: %s", out, mode)
		}
		return nil
	})
	containers, _, _ := nodeStatus(t, n)
	got, ok := containers[c.ID]
	if want := "bypasses Batten; looser than today's policy: "; !ok || got.Safe || !strings.HasPrefix(got.Text, want) {
		t.Errorf("got %+v, want %q", got.Verdict, want)
	}
	c.Remove()
}
