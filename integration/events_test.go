package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/namespaces"
)

// TestLastEvent: the event of a task's deletion is not lost with the shim.
// containerd's own shim of 2.x loses about one in twenty.
func TestLastEvent(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		ctx, cancel := context.WithCancel(namespaces.WithNamespace(context.Background(), node.Namespace))
		defer cancel()
		for range 40 {
			round, done := context.WithCancel(ctx)
			seen := watchEvents(round, n)
			c, err := n.Start(node.Run{Runtime: node.Batten})
			if err != nil {
				t.Fatal(err)
			}
			c.Remove()
			n.Eventually(5*time.Second, "the deletion of "+c.ID, func() error {
				if _, ok := seen.Load("/tasks/delete"); !ok {
					return fmt.Errorf("not seen")
				}
				return nil
			})
			done()
		}
	})
}
