package observe

import (
	"fmt"
	"os"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestTogether: many containers are denied at once; each has its own errnos and counts.
func TestTogether(t *testing.T) {
	const times, threads = 500, 2
	n := node.Start(t, engine, node.WithQuietLog())
	count := node.Often(t, "TOGETHER", 20)
	for policy, answer := range answers {
		var all []*node.Created
		for range count {
			all = append(all, start(t, n, policy, node.Run{Args: []string{"/bin/sh", "-c", fmt.Sprintf("until [ -e /tmp/go ]; do sleep 0.1; done; exec /probe many keyctl %d %d -- pause", times, threads)}}))
		}
		for _, c := range all {
			if err := os.WriteFile(fmt.Sprintf("/proc/%d/root/tmp/go", c.Task.Pid()), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want := fmt.Sprintf("keyctl: %s %d\n", answer, times*threads)
		for _, c := range all {
			n.Eventually(10*patience, "the calls of "+c.ID, func() error {
				if out := c.Output(); out != want {
					return fmt.Errorf("it wrote %q, want %q", out, want)
				}
				return nil
			})
			wantCounted(n, c, "keyctl", times*threads)
			c.Remove()
		}
		wantNothing(n)
	}
}
