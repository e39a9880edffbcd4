package integration

import (
	"fmt"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// TestCrun: another OCI runtime behind the shim, with what it keeps of
// compiled filters, by BinaryName.
func TestCrun(t *testing.T) {
	n := node.Start(t, newest)
	crun := node.CrunHere(t, n)
	for _, side := range []struct {
		runtime string
		options any
		mode    string
		calls   string
	}{
		{
			runtime: node.Stock, options: &options.Options{BinaryName: crun}, mode: "0",
			calls: "getpid: OK\nkeyctl: OK\n",
		},
		{
			runtime: node.Batten, options: tomlOptions(`BinaryName = "` + crun + `"`), mode: "2",
			calls: "getpid: OK\nkeyctl: EPERM\n",
		},
	} {
		c, err := n.Start(node.Run{Runtime: side.runtime, Options: side.options, Spec: []oci.SpecOpts{node.WithOldSpec}})
		if err != nil {
			t.Fatalf("%s: %v", side.runtime, err)
		}
		n.Eventually(5e9, side.runtime, func() error {
			if mode, _ := c.Seccomp(); mode != side.mode {
				return fmt.Errorf("Seccomp: %s, want %s", mode, side.mode)
			}
			return nil
		})
		if out, err := c.Exec("/probe", "call", "getpid", "keyctl"); out != side.calls {
			t.Errorf("%s: %q (%v), want %q", side.runtime, out, err, side.calls)
		}
		c.Remove()
	}
}
