package integration

import (
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

var daemons = []string{"debian", "containerd-1.7", "containerd-2.2", "containerd-2.4"}

// TestUnsetIsFiltered is the main job: a container that asks for nothing.
func TestUnsetIsFiltered(t *testing.T) {
	for _, engine := range daemons {
		t.Run(engine, func(t *testing.T) {
			n := node.Start(t, engine)
			for _, tt := range []struct{ runtime, mode, calls string }{
				{node.Stock, "0", "getpid: OK\nkeyctl: OK\n"},
				{node.Batten, "2", "getpid: OK\nkeyctl: EPERM\n"},
			} {
				c, err := n.Start(node.Run{Runtime: tt.runtime})
				if err != nil {
					t.Fatalf("%s: %v", tt.runtime, err)
				}
				if mode, _ := c.Seccomp(); mode != tt.mode {
					t.Errorf("%s: Seccomp: %s, want %s", tt.runtime, mode, tt.mode)
				}
				out, err := c.Exec("/probe", "call", "getpid", "keyctl")
				if err != nil || out != tt.calls {
					t.Errorf("%s: exec wrote %q (%v), want %q", tt.runtime, out, err, tt.calls)
				}
			}
		})
	}
}
