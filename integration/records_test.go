package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestRecords: the operator's table names what runs now, and nothing else.
func TestRecords(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		c, err := n.Start(node.Run{Runtime: node.Batten})
		if err != nil {
			t.Fatal(err)
		}
		table := func() string {
			out, err := n.Command("batten", "records").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return string(out)
		}
		n.Eventually(5e9, "the attestation in the table", func() error {
			if got := table(); !strings.Contains(got, "test/"+c.ID) || !strings.Contains(got, "Filtered (1)") {
				return fmt.Errorf("%s", got)
			}
			return nil
		})
		c.Remove()
		if got := table(); strings.Count(got, "\n") != 1 {
			t.Errorf("after its end:\n%s", got)
		}
	})
}
