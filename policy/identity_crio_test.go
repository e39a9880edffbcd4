package policy_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/criotest"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy"
)

// shop is a pod of CRI-O's, whose author wrote annotations and labels.
func shop(annotations, labels map[string]string) criotest.Pod {
	return criotest.Pod{Name: "shop-1", Namespace: "web", UID: "5d1c-77", Annotations: annotations, Labels: labels}
}

var shopMain = criotest.Container{Name: "main", Image: "docker.io/library/shop:1", Annotations: criotest.Kubelet}

// monitoring are a pod's annotations with which it would be another one.
var monitoring = map[string]string{
	"io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.cri-o.Namespace": "monitoring", "io.kubernetes.cri-o.KubeName": "agent-1",
	"io.kubernetes.cri-o.SandboxName": "k8s_agent-1_monitoring_1_0", "io.kubernetes.cri-o.Name": "k8s_agent_agent-1_monitoring_1_0",
	"io.kubernetes.cri-o.ImageName": "agent:1", "io.kubernetes.cri-o.Image": "agent:1", "io.kubernetes.cri-o.Labels": `{"io.kubernetes.pod.namespace":"monitoring"}`,
	"io.kubernetes.cri-o.Metadata": `{"name":"agent","namespace":"monitoring"}`,
	"io.kubernetes.pod.namespace":  "monitoring", "io.kubernetes.pod.name": "agent-1", "io.kubernetes.pod.uid": "1",
	"io.kubernetes.container.name":     "agent",
	"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-namespace": "monitoring", "io.kubernetes.cri.sandbox-name": "agent-1",
	"io.kubernetes.cri.container-name": "agent", "io.kubernetes.cri.image-name": "agent:1",
}

// only returns the annotations of monitoring with these keys.
func only(keys ...string) map[string]string {
	out := map[string]string{}
	for _, key := range keys {
		out["io.kubernetes."+key] = monitoring["io.kubernetes."+key]
	}
	return out
}

func with(c criotest.Container, annotations map[string]string) criotest.Container {
	c.Annotations = maps.Clone(c.Annotations)
	maps.Copy(c.Annotations, annotations)
	return c
}

func unlabelled(c criotest.Container) criotest.Container {
	c.Unlabelled = true
	return c
}

const crioPolicy = `version: 1
rules:
- {name: "agents", match: {pod: {namespace: [monitoring]}}, absent: Unconfined}
- {name: "agent images", match: {image: [agent*]}, absent: Unconfined}
- {name: "agent containers", match: {container: [agent*]}, absent: Unconfined}
- {name: "sandboxes", match: {kind: [Sandbox], pod: {namespace: [web], name: ["shop-*"]}}}
- {name: "shop", match: {pod: {namespace: [web], name: ["shop-*"]}, container: [main], image: ["docker.io/library/shop:*"]}}
- {name: "shop of no image", match: {pod: {namespace: [web]}, container: [main]}}
- {name: "any other pod", match: {pod: {namespace: ["*"]}}}
`

const remedy = "; take io.kubernetes.* out of the annotations and labels of the pod, and of its checkpoint; engines other than CRI-O call batten-runc by that name"

// TestIdentityOfCRIO: rules match CRI-O's pods by what CRI-O and the kubelet say, and nothing
// that a pod's author, or a checkpoint's, writes makes a container another one: it stays what it is,
// or is refused.
func TestIdentityOfCRIO(t *testing.T) {
	all := shop(monitoring, monitoring)
	for _, tt := range []struct {
		name        string
		annotations map[string]string
		restore     bool
		rule        string
		refused     string // what the refusal says; empty for none
	}{
		{name: "a container", annotations: shop(nil, nil).Container(shopMain), rule: "shop"},
		{name: "a sandbox", annotations: shop(nil, nil).Sandbox(), rule: "sandboxes"},
		{name: "a container whose image has no name", annotations: shop(nil, nil).Container(criotest.Container{Name: "main"}), rule: "shop of no image"},
		{name: "a client that gives no labels", annotations: shop(nil, nil).Container(unlabelled(shopMain)), rule: "shop"},

		// A container: CRI-O's keys and the kubelet's labels come after the pod's annotations.
		{name: "a container of a pod that forges everything", annotations: all.Container(shopMain), rule: "shop"},
		{
			name: "no labels, and the pod's author forges them", annotations: all.Container(unlabelled(shopMain)),
			refused: `annotations io.kubernetes.cri-o.SandboxName: "k8s_shop-1_web_5d1c-77_0" and io.kubernetes.pod.name: "agent-1" cannot both be CRI-O's`,
		},
		{
			name: "no labels, and the pod's author makes it a sandbox", annotations: shop(map[string]string{"io.kubernetes.container.name": "POD"}, nil).Container(unlabelled(shopMain)),
			refused: `annotations io.kubernetes.cri-o.ContainerType: "container" and io.kubernetes.container.name: "POD" cannot both be CRI-O's`,
		},

		// A sandbox: the pod's annotations and labels come after CRI-O's keys.
		{
			name: "a sandbox that is a container", annotations: shop(only("cri-o.ContainerType"), nil).Sandbox(),
			refused: `annotations io.kubernetes.cri-o.ContainerType: "container" and io.kubernetes.container.name: "POD" cannot both be CRI-O's`,
		},
		{
			name: "the same by a label", annotations: shop(nil, only("cri-o.ContainerType")).Sandbox(),
			refused: `annotations io.kubernetes.cri-o.ContainerType: "container" and io.kubernetes.container.name: "POD" cannot both be CRI-O's`,
		},
		{
			name: "a sandbox of no kind", annotations: shop(map[string]string{"io.kubernetes.cri-o.ContainerType": ""}, nil).Sandbox(),
			refused: `annotation io.kubernetes.cri-o.ContainerType: "" is neither sandbox nor container`,
		},
		{
			name: "a sandbox of another pod", annotations: shop(map[string]string{"io.kubernetes.cri-o.Name": "k8s_agent-1_monitoring_1_0"}, nil).Sandbox(),
			refused: `annotations io.kubernetes.cri-o.Name: "k8s_agent-1_monitoring_1_0" and io.kubernetes.pod.name: "shop-1" cannot both be CRI-O's`,
		},
		{
			name: "a sandbox of another namespace", annotations: shop(map[string]string{"io.kubernetes.cri-o.Name": "k8s_shop-1_monitoring_5d1c-77_0"}, nil).Sandbox(),
			refused: `annotations io.kubernetes.cri-o.Name: "k8s_shop-1_monitoring_5d1c-77_0" and io.kubernetes.pod.namespace: "web" cannot both be CRI-O's`,
		},
		{
			name: "a name of another form", annotations: shop(map[string]string{"io.kubernetes.cri-o.Name": "k8s_agent-1_monitoring"}, nil).Sandbox(),
			refused: `annotation io.kubernetes.cri-o.Name: "k8s_agent-1_monitoring" is not of the form that CRI-O gives it`,
		},
		{name: "a sandbox that forges what nobody reads", annotations: shop(only("cri-o.Namespace", "cri-o.KubeName", "cri-o.SandboxName", "cri-o.Labels", "cri-o.Metadata", "cri-o.Image", "cri-o.ImageName"), nil).Sandbox(), rule: "sandboxes"},
		{name: "a sandbox that forges the kubelet's keys", annotations: shop(only("pod.namespace", "pod.name", "pod.uid", "container.name"), only("pod.namespace", "pod.name", "pod.uid", "container.name")).Sandbox(), rule: "sandboxes"},
		{name: "a sandbox that writes containerd's keys", annotations: shop(only("cri.container-type", "cri.sandbox-namespace", "cri.sandbox-name", "cri.container-name", "cri.image-name"), nil).Sandbox(), rule: "sandboxes"},

		// A restored container: the checkpoint's annotations come after CRI-O's keys.
		{name: "a checkpoint", annotations: shop(nil, nil).Container(shopMain), restore: true, rule: ""},
		{name: "a checkpoint that forges its image", annotations: shop(nil, nil).Container(with(shopMain, only("cri-o.ImageName", "cri-o.Image"))), restore: true, rule: ""},
		{name: "a checkpoint in a restored pod that forges all", annotations: shop(nil, nil).Container(with(unlabelled(shopMain), monitoring)), restore: true, rule: ""},
		{
			name: "a checkpoint of another pod", annotations: shop(nil, nil).Container(with(shopMain, only("cri-o.SandboxName", "cri-o.Name"))), restore: true,
			refused: `annotations io.kubernetes.cri-o.SandboxName: "k8s_agent-1_monitoring_1_0" and io.kubernetes.pod.name: "shop-1" cannot both be CRI-O's`,
		},
		{
			name: "a checkpoint of another container", annotations: shop(nil, nil).Container(with(shopMain, map[string]string{"io.kubernetes.cri-o.Name": "k8s_agent_shop-1_web_5d1c-77_0"})), restore: true,
			refused: `annotations io.kubernetes.cri-o.Name: "k8s_agent_shop-1_web_5d1c-77_0" and io.kubernetes.container.name: "main" cannot both be CRI-O's`,
		},
		{
			name: "a checkpoint whose names differ", annotations: shop(nil, nil).Container(with(unlabelled(shopMain), only("cri-o.Name"))), restore: true,
			refused: `annotations io.kubernetes.cri-o.Name: "k8s_agent_agent-1_monitoring_1_0" and io.kubernetes.cri-o.SandboxName: "k8s_shop-1_web_5d1c-77_0" are of different pods (io.kubernetes.pod.name)`,
		},
		{
			name: "a checkpoint as a sandbox", annotations: shop(nil, nil).Container(with(shopMain, map[string]string{"io.kubernetes.cri-o.ContainerType": "sandbox"})), restore: true,
			refused: `annotations io.kubernetes.cri-o.ContainerType: "sandbox" and io.kubernetes.container.name: "main" cannot both be CRI-O's`,
		},

		{
			name: "another engine's container", annotations: map[string]string{},
			refused: "batten-runc is called by CRI-O's name for it, and CRI-O's annotations are missing",
		},
		{
			name: "another engine's container, with the kubelet's keys", annotations: only("pod.namespace", "pod.name", "pod.uid", "container.name"),
			refused: "batten-runc is called by CRI-O's name for it, and CRI-O's annotations are missing",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := policy.Request{Engine: names.CRIO, Runtime: names.Wrapper, Annotations: tt.annotations, Restore: tt.restore}
			o := parse(t, crioPolicy+"restore: Allow\n").Resolve(r, nil, policy.Machine{})
			refusal := ""
			if tt.refused != "" {
				refusal = tt.refused + remedy
			}
			if o.Refusal != refusal || o.Refused() != (refusal != "") {
				t.Fatalf("refused %v: %s\nwant %s", o.Refused(), o.Refusal, refusal)
			}
			if o.Rule != tt.rule {
				t.Errorf("rule %q for %+v, want %q", o.Rule, o.Identity, tt.rule)
			}
			// Not called as CRI-O, the same annotations name nobody.
			r.Engine = ""
			if who := policy.Identify(r); who != (policy.Identity{Kind: policy.Container}) {
				t.Errorf("not by CRI-O: %+v", who)
			}
		})
	}
}

// TestForgedInAudit: which rule holds is unknown, and so is whether it only audits.
func TestForgedInAudit(t *testing.T) {
	p := parse(t, "version: 1\nmode: Audit\nabsent: Deny\n")
	r := policy.Request{Engine: names.CRIO, Annotations: shop(only("cri-o.ContainerType"), nil).Sandbox()}
	if o := p.Resolve(r, nil, policy.Machine{}); !o.Refused() || !strings.Contains(o.Refusal, "cannot both be CRI-O's") {
		t.Errorf("forged: refused %v: %s", o.Refused(), o.Refusal)
	}
	r.Annotations = shop(nil, nil).Sandbox()
	if o := p.Resolve(r, nil, policy.Machine{}); o.Refused() {
		t.Errorf("not forged: refused: %s", o.Refusal)
	}
}

// TestAnnotateCRIO: what explain asks is what CRI-O would.
func TestAnnotateCRIO(t *testing.T) {
	for _, who := range []policy.Identity{
		{Kind: policy.Container, PodNamespace: "web", PodName: "shop-1", Container: "main", Image: "shop:1"},
		{Kind: policy.Sandbox, PodNamespace: "web", PodName: "shop-1"},
	} {
		a := map[string]string{}
		who.Annotate(names.CRIO, a)
		got := policy.Identify(policy.Request{Engine: names.CRIO, Annotations: a})
		if got.Kind != who.Kind || got.PodNamespace != who.PodNamespace || got.PodName != who.PodName || got.Container != who.Container || got.Image != who.Image {
			t.Errorf("%+v comes back as %+v", who, got)
		}
	}
}
