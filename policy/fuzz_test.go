package policy_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

// FuzzIdentify: whatever annotations a container brings, the exception for one
// container of one pod is that container's, in CRI's containerd namespace, and no
// other's. The second opinion is spelled out here.
func FuzzIdentify(f *testing.F) {
	p, findings := policy.Parse("p.yaml", []byte(`version: 1
rules:
- {name: exception, match: {pod: {namespace: [monitoring], name: ["agent-*"]}, container: [agent]}, absent: Unconfined}
`), readNothing)
	if findings.Err() != nil {
		f.Fatal(findings.Err())
	}
	f.Add("k8s.io", "container", "monitoring", "agent-1", "agent", "io.kubernetes.cri.container-type", "sandbox")
	f.Add("k8s.io", "sandbox", "monitoring", "agent-1", "agent", "", "")
	f.Add("K8s.io", "container", "monitoring", "agent-1", "agent", "io.kubernetes.cri.sandbox-name ", "agent-1")
	f.Add("k8s.io", "container", "monitoring", "agent-\x00", "\u0430gent", "io.kubernetes.cri.Container-name", "agent")
	f.Add("moby", "", "", "", "", "io.kubernetes.cri.sandbox-namespace", "monitoring")
	f.Fuzz(func(t *testing.T, namespace, kind, podNamespace, podName, container, key, value string) {
		annotations := map[string]string{
			"io.kubernetes.cri.container-type": kind, "io.kubernetes.cri.sandbox-namespace": podNamespace,
			"io.kubernetes.cri.sandbox-name": podName, "io.kubernetes.cri.container-name": container,
		}
		if _, taken := annotations[key]; !taken {
			annotations[key] = value
		}
		d := p.Decide(policy.Request{ContainerdNamespace: namespace, Annotations: annotations})
		name, isAgent := strings.CutPrefix(podName, "agent-")
		want := namespace == "k8s.io" && kind == "container" && podNamespace == "monitoring" &&
			isAgent && !strings.Contains(name, "/") && container == "agent"
		if got := d.Rule == "exception"; got != want {
			t.Fatalf("exception: %v, want %v, for %q %q", got, want, namespace, annotations)
		}
		if want != (d.Verdict == policy.Leave) {
			t.Fatalf("verdict %s beside rule %q", d.Verdict, d.Rule)
		}
	})
}
