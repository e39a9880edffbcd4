package integration

import (
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestPodRules: rules by what CRI says of pods, and pods that say it
// themselves.
func TestPodRules(t *testing.T) {
	for _, engine := range append(kubernetes, "debian") {
		t.Run(engine, func(t *testing.T) {
			n := node.Start(t, engine, node.WithHandlers(handlers(t)...))
			if engine == "debian" {
				checkLostTable(t, n)
			}
			writeFile(t, filepath.Join(n.Etc, "strict.yaml"), "version: 1\nabsent: Deny\nrules: [{name: pause, match: {kind: [Sandbox]}, absent: RuntimeDefault}]\n")
			setPolicy(t, n, `version: 1
rules:
- {name: agents, match: {pod: {namespace: [monitoring], name: [agent-*]}, container: [agent], image: ["batten.test/*"]}, absent: Unconfined}
- {name: quiet sandboxes, match: {kind: [Sandbox], pod: {namespace: [quiet]}}, absent: Unconfined}
- {name: tenants, match: {kind: [Container], pod: {namespace: [tenant-*]}}, absent: Deny}
- {name: no pods at all, match: {pod: {namespace: [closed]}}, absent: Deny}
`)
			checkAgents(t, n)
			checkImitations(t, n)
			checkDenied(t, n)
		})
	}
}

// checkLostTable: 1.6 passes no table on, and a file of one.
func checkLostTable(t *testing.T, n *node.Node) {
	t.Helper()
	_, err := n.RunPod("strict", "default", "x", nil)
	wantError(t, "a table", err, "batten: container refused: runtime options: containerd 1.6 does not pass the options table on")
	file := filepath.Join(n.Dir, "strict.toml")
	writeFile(t, file, "Policy = \"/etc/batten/strict.yaml\"\n")
	byFile := handlers(t)
	for i := range byFile {
		if byFile[i].Name == "strict" {
			byFile[i].Options = []string{`ConfigPath = "` + file + `"`}
		}
	}
	n.Restart(byFile...)
}

func checkAgents(t *testing.T, n *node.Node) {
	t.Helper()
	for _, tt := range []struct{ namespace, pod, container, sandbox, mode string }{
		{namespace: "monitoring", pod: "agent-1", container: "agent", sandbox: "2", mode: "0"},
		{namespace: "monitoring", pod: "agent-1", container: "sidecar", sandbox: "2", mode: "2"},
		{namespace: "monitoring", pod: "other", container: "agent", sandbox: "2", mode: "2"},
		{namespace: "quiet", pod: "agent-1", container: "agent", sandbox: "0", mode: "2"},
	} {
		what := tt.namespace + "/" + tt.pod + "/" + tt.container
		pod, err := n.RunPod("batten", tt.namespace, tt.pod, nil)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		id, err := pod.Run(tt.container, nil)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if mode, _ := pod.Seccomp(id); mode != tt.mode {
			t.Errorf("%s: Seccomp: %s, want %s", what, mode, tt.mode)
		}
		if mode, _ := pod.Seccomp(""); mode != tt.sandbox {
			t.Errorf("the sandbox of %s: Seccomp: %s, want %s", what, mode, tt.sandbox)
		}
		if rec := n.Record(t, "k8s.io", id); rec.PodName != tt.pod || rec.PodNamespace != tt.namespace || rec.Container != tt.container {
			t.Errorf("the record of %s says %+v", what, rec.Identity)
		}
		pod.Remove()
	}
}

// checkImitations: a pod annotation that imitates CRI's keys, passed through
// by a handler that passes all.
func checkImitations(t *testing.T, n *node.Node) {
	t.Helper()
	for _, kind := range []string{"container", "sandbox"} {
		pod, err := n.RunPod("passing", "default", "liar", map[string]string{
			"io.kubernetes.cri.container-type":    kind,
			"io.kubernetes.cri.sandbox-namespace": map[string]string{"container": "monitoring", "sandbox": "quiet"}[kind],
			"io.kubernetes.cri.sandbox-name":      "agent-1",
			"io.kubernetes.cri.container-name":    "agent",
			"io.kubernetes.cri.image-name":        node.Image,
		})
		if err != nil {
			t.Fatal(err)
		}
		id, err := pod.Run("main", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, process := range []string{"", id} {
			if mode, _ := pod.Seccomp(process); mode != "2" {
				t.Errorf("as a %s, process of %q: Seccomp: %s, want 2", kind, process, mode)
			}
		}
		pod.Remove()
	}
}

// checkDenied: the refusal reaches whoever asked for the container.
func checkDenied(t *testing.T, n *node.Node) {
	t.Helper()
	_, err := n.RunPod("batten", "closed", "x", nil)
	wantError(t, "a sandbox", err, `batten: container refused: it asks for no seccomp filter, and rule "no pods at all" says absent: Deny`)
	for handler, reason := range map[string]string{
		"batten": `rule "tenants" says absent: Deny (policy "/etc/batten/policy.yaml")`,
		"strict": `the policy's top level says absent: Deny (policy "/etc/batten/strict.yaml")`,
	} {
		pod, err := n.RunPod(handler, "tenant-a", "x", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = pod.Run("plain", nil)
		wantError(t, handler, err, reason, "ask for a filter (in Kubernetes: securityContext.seccompProfile.type RuntimeDefault or Localhost, and not privileged)")
		id, err := pod.Run("asks", security(cri.SecurityProfile_RuntimeDefault, ""))
		if err != nil {
			t.Errorf("%s: one that asks for a filter: %v", handler, err)
		} else if mode, _ := pod.Seccomp(id); mode != "2" {
			t.Errorf("%s: one that asks for a filter: Seccomp: %s", handler, mode)
		}
		pod.Remove()
	}
}
