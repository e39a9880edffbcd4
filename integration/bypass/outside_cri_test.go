package bypass

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestOutsideByCRI: a pod's containers join the namespaces of its sandbox by a path,
// and get hostPath volumes as mounts. On each daemon the policy sees what they are:
// what is stopped starts under the stock handler, and what is allowed under both.
func TestOutsideByCRI(t *testing.T) {
	hostPID := func(c *cri.PodSandboxConfig) {
		c.Linux.SecurityContext.NamespaceOptions.Pid = cri.NamespaceMode_NODE
	}
	rows := []struct {
		name     string
		sandbox  func(*cri.PodSandboxConfig)
		security *cri.LinuxContainerSecurityContext
		mount    string
		want     string // a part of the error under Batten; empty: it runs
	}{
		{name: "nothing of the node's"},
		{name: "a directory of the node's", mount: "/usr/share"},
		{name: "privileged", security: &cri.LinuxContainerSecurityContext{Privileged: true}},
		{name: "hostPID", sandbox: hostPID},
		{name: "hostPID, privileged", sandbox: hostPID, security: &cri.LinuxContainerSecurityContext{Privileged: true}, want: `rule "the node's processes, with the right to trace them" says absent: Deny`},
		{name: "the policy's directory", mount: "/etc/batten", want: `rule "the node's files that decide over containers" says absent: Deny`},
		{name: "the node's root", mount: "/", want: `rule "the node's files that decide over containers" says absent: Deny`},
		{name: "the engine's socket", mount: "/run/containerd", want: `rule "the node's files that decide over containers" says absent: Deny`},
	}
	for _, name := range []string{"containerd-1.7", "containerd-2.2", "containerd-2.4"} {
		t.Run(name, func(t *testing.T) {
			n := node.Start(t, name, node.WithHandlers(node.Handler{Name: "runc", Type: node.Stock}, node.Handler{Name: "batten", Type: node.Batten}))
			a := &attempt{Node: n, t: t, batten: true}
			a.shipped("node-files")
			for _, row := range rows {
				for _, handler := range []string{"runc", "batten"} {
					change := row.sandbox
					if change == nil {
						change = func(*cri.PodSandboxConfig) {}
					}
					p, err := n.RunPodOf(handler, "ns", "pod", nil, change)
					if err != nil {
						t.Fatalf("%s, %s: %v", row.name, handler, err)
					}
					var mounts []*cri.Mount
					if row.mount != "" {
						mounts = []*cri.Mount{{HostPath: row.mount, ContainerPath: "/host"}}
					}
					_, err = p.RunWith("main", row.security, mounts)
					switch stopped := row.want != "" && handler == "batten"; {
					case stopped && (err == nil || !strings.Contains(err.Error(), row.want)):
						t.Errorf("%s: %v, want %s", row.name, err, row.want)
					case !stopped && err != nil:
						t.Errorf("%s, %s: %v", row.name, handler, err)
					}
					p.Remove()
				}
			}
			checkJoinedSandbox(t, n)
		})
	}
}

// checkJoinedSandbox: the floor of a rule holds for a pod in the node's pid namespace,
// whose containers join it by the sandbox's path; a pod beside it has none of that.
func checkJoinedSandbox(t *testing.T, n *node.Node) {
	t.Helper()
	for mode, want := range map[cri.NamespaceMode]string{cri.NamespaceMode_NODE: "the node's processes", cri.NamespaceMode_POD: "", cri.NamespaceMode_CONTAINER: ""} {
		p, err := n.RunPodOf("batten", "ns", "pod", nil, func(c *cri.PodSandboxConfig) {
			c.Linux.SecurityContext.NamespaceOptions.Pid = mode
		})
		if err != nil {
			t.Fatal(err)
		}
		id, err := p.Run("main", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, which := range []string{p.ID, id} {
			data, err := n.Command("cat", filepath.Join("/run/batten/k8s.io", which+".json")).Output()
			if err != nil || strings.Contains(string(data), `"rule":"the node's processes"`) != (want != "") {
				t.Errorf("pid %s: the record says %s (%v), want rule %q", mode, data, err, want)
			}
		}
		p.Remove()
	}
}
