package integration

import (
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestStatusIgnored: what containerd 1.x makes of its configuration is what batten status
// says. CRI in 1.6 ignores runtime_path, and a deprecated table is the default handler.
func TestStatusIgnored(t *testing.T) {
	on(t, []string{"debian", "containerd-1.7"}, func(t *testing.T, n *node.Node) {
		check := func(what, handler, want string) {
			t.Helper()
			pod, err := n.RunPod("", "default", "ignored", nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := pod.Seccomp(""); got != want {
				t.Errorf("%s: Seccomp: %s, want %s", what, got, want)
			}
			pod.Remove()
			_, handlers, _ := nodeStatus(t, n, "--containerd", n.Config())
			for _, h := range handlers {
				if h.Engine == "containerd" && (h.Default != (h.Name == handler) || h.Default && h.Batten != (want == "2")) {
					t.Errorf("%s: %+v, and its pods have Seccomp: %s", what, h, want)
				}
			}
		}
		path := "2"
		if n.Engine.Name == "debian" {
			path = "0"
		}
		n.Restart(node.Handler{Name: "runc", Type: node.Stock, Path: node.Shim(t)})
		check("runtime_path", "runc", path)
		writeFile(t, n.Config(), string(read(t, n.Config()))+`
[plugins."io.containerd.grpc.v1.cri".containerd.default_runtime]
runtime_type = "io.containerd.runc.v2"
`)
		n.Reload()
		check("default_runtime", "default", "0")
	})
}
