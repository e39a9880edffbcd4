package policy_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/names"
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

// FuzzIdentifyCRIO: whatever a pod's author writes as annotation and label, his sandbox and
// his container stay what they are under CRI-O, or are refused; so does a container
// out of a checkpoint, whose author writes annotations after CRI-O's.
func FuzzIdentifyCRIO(f *testing.F) {
	for key, value := range monitoring {
		f.Add(key, value, "io.kubernetes.cri-o.ContainerType", "container", false)
		f.Add("io.kubernetes.container.name", "POD", key, value, true)
	}
	f.Add("io.kubernetes.cri-o.Name", "k8s_main_shop-1_web_5d1c-77_0", "io.kubernetes.cri-o.ContainerType", "container", false)
	f.Add("io.kubernetes.cri-o.Name", "k8s_x_shop-1_web_5d1c-77_0", "io.kubernetes.cri-o.SandboxName", "k8s_shop-1_web_5d1c-77_0_0", true)
	f.Fuzz(func(t *testing.T, key, value, key2, value2 string, labels bool) {
		written := map[string]string{key: value, key2: value2}
		pod := shop(written, nil)
		if labels {
			pod = shop(map[string]string{key: value}, map[string]string{key2: value2})
		}
		for name, r := range map[string]policy.Request{
			"sandbox":   {Annotations: pod.Sandbox()},
			"container": {Annotations: pod.Container(shopMain)},
			"restored":  {Annotations: pod.Container(with(shopMain, written)), Restore: true},

			"in a restored pod": {Annotations: pod.Container(with(unlabelled(shopMain), written)), Restore: true},
		} {
			r.Engine = names.CRIO
			who := policy.Identify(r)
			want := policy.Identity{Kind: policy.Container, PodNamespace: "web", PodName: "shop-1", Container: "main"}
			switch name {
			case "sandbox":
				want.Kind, want.Container = policy.Sandbox, ""
			case "container":
				want.Image = shopMain.Image
			case "restored", "in a restored pod":
				want = policy.Identity{Kind: policy.Container}
			}
			forged := parse(t, "version: 1\n").Decide(r).Question == "names"
			same := who.Kind == want.Kind && who.PodNamespace == want.PodNamespace && who.PodName == want.PodName && who.Container == want.Container && who.Image == want.Image
			if !forged && !same || forged && (who.PodName != "" || name == "container") {
				t.Errorf("%s with %q: %+v, forged %v", name, written, who, forged)
			}
		}
	})
}
