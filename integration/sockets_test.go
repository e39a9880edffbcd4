package integration

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// TestSockets: Batten's shims listen in a directory of their own on each daemon, stock shims
// do not, and a shim that ends removes its sockets.
func TestSockets(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		sockets := func(pattern string) []string {
			t.Helper()
			found, err := filepath.Glob(n.Path("/run/containerd/s/" + pattern))
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		const own, stock = "batten/*", "[0-9a-f]*[0-9a-f]"
		for runtime, where := range map[string]string{node.Batten: own, node.Stock: stock} {
			before := len(sockets(own)) + len(sockets(stock))
			c, err := n.Start(node.Run{Runtime: runtime})
			if err != nil {
				t.Fatal(err)
			}
			here := sockets(where)
			if elsewhere := len(sockets(own)) + len(sockets(stock)) - len(here); len(here) == 0 || elsewhere != 0 {
				t.Errorf("%s: sockets %q, and %d elsewhere", runtime, here, elsewhere)
			}
			c.Remove()
			n.Eventually(10*time.Second, "the sockets' end", func() error {
				if left := len(sockets(own)) + len(sockets(stock)); left != before {
					return fmt.Errorf("%d sockets, and %d before", left, before)
				}
				return nil
			})
		}
	})
}
