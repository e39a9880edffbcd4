package integration

import (
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestDaemonUpgraded: a node's containerd is exchanged for another version and back,
// while a container of Batten's runs. Whatever version asks, it stays filtered, takes
// execs, and is deleted; new ones start.
func TestDaemonUpgraded(t *testing.T) {
	versions := []string{"containerd-1.7", "containerd-2.2", newest, "containerd-2.2"}
	for _, version := range versions {
		node.Need(t, version)
	}
	n := node.Start(t, versions[0], node.WithQuietLog())
	var old []*node.Created
	for i, version := range versions {
		if i > 0 {
			n.Exchange(version)
		}
		c, err := n.Start(node.Run{Runtime: node.Batten})
		if err != nil {
			t.Fatalf("under %s: %v", version, err)
		}
		n.WaitForExec(c)
		old = append(old, c)
		for at, c := range old {
			if err := c.Reload(); err != nil {
				t.Fatalf("%s has lost the container of %s: %v", version, versions[at], err)
			}
			wantSeccomp(t, versions[at]+" under "+version, c, "2", "1")
			if out, err := c.Exec("/probe", "call", "keyctl"); out != "keyctl: EPERM\n" {
				t.Errorf("%s under %s: an exec says %q (%v)", versions[at], version, out, err)
			}
		}
	}
	for _, c := range old {
		c.Remove()
	}
}
