package policy_test

import (
	"fmt"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
)

// cri are the annotations that CRI writes for a container or a sandbox.
func cri(kind string, who ...string) map[string]string {
	a := map[string]string{
		"io.kubernetes.cri.container-type":    kind,
		"io.kubernetes.cri.sandbox-namespace": who[0],
		"io.kubernetes.cri.sandbox-name":      who[1],
	}
	if len(who) > 2 {
		a["io.kubernetes.cri.container-name"], a["io.kubernetes.cri.image-name"] = who[2], who[3]
	}
	return a
}

func TestDecide(t *testing.T) {
	p := parse(t, `
version: 1
rules:
- name: agents
  match: {pod: {namespace: [monitoring], name: [agent-*]}, container: [agent]}
  absent: Unconfined
  present: Deny
- name: sandboxes
  match: {kind: [Sandbox], pod: {namespace: [quiet]}}
  absent: Unconfined
- name: tenants
  match: {pod: {namespace: [tenant-*]}}
  absent: Deny
- name: images
  match: {image: [registry/trusted/*]}
  absent: Unconfined
- name: docker
  match: {containerdNamespace: [moby]}
  present: RuntimeDefault
- name: admins
  match: {capabilities: [CAP_SYS_ADMIN, CAP_BPF]}
  absent: Unconfined
- name: marked
  match: {annotations: {example.com/tier: [gold, silver]}}
  absent: Deny
- name: wrapper
  match: {runtime: [batten-*]}
  mode: Audit
  absent: Deny
`)
	for _, tt := range []struct {
		name    string
		request policy.Request
		rule    string
		verdict policy.Verdict
		mode    policy.Mode
	}{
		{"nothing matches", policy.Request{ContainerdNamespace: "default"}, "", policy.Replace, policy.Enforce},
		{"nothing matches, filtered", policy.Request{ContainerdNamespace: "default", Filtered: true}, "", policy.Leave, policy.Enforce},
		{"agent", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "monitoring", "agent-1", "agent", "i")}, "agents", policy.Leave, policy.Enforce},
		{"agent with a filter", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "monitoring", "agent-1", "agent", "i"), Filtered: true}, "agents", policy.Refuse, policy.Enforce},
		{"another container of its pod", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "monitoring", "agent-1", "other", "i")}, "", policy.Replace, policy.Enforce},
		{"another pod", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "monitoring", "xagent-1", "agent", "i")}, "", policy.Replace, policy.Enforce},
		{"agent's annotations from Docker", policy.Request{ContainerdNamespace: "moby", Annotations: cri("container", "monitoring", "agent-1", "agent", "i")}, "docker", policy.Replace, policy.Enforce},
		{"agent's annotations from ctr", policy.Request{ContainerdNamespace: "default", Annotations: cri("container", "monitoring", "agent-1", "agent", "i")}, "", policy.Replace, policy.Enforce},
		{"not made by CRI", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("", "monitoring", "agent-1", "agent", "i")}, "", policy.Replace, policy.Enforce},
		{"a sandbox that says it is the agent", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("sandbox", "monitoring", "agent-1", "agent", "i")}, "", policy.Replace, policy.Enforce},
		{"a sandbox", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("sandbox", "quiet", "x")}, "sandboxes", policy.Leave, policy.Enforce},
		{"a container beside it", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "quiet", "x", "c", "i")}, "", policy.Replace, policy.Enforce},
		{"tenant", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "tenant-a", "x", "c", "i")}, "tenants", policy.Refuse, policy.Enforce},
		{"tenant's sandbox", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("sandbox", "tenant-a", "x")}, "tenants", policy.Refuse, policy.Enforce},
		{"image", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "a", "x", "c", "registry/trusted/app:1")}, "images", policy.Leave, policy.Enforce},
		{"image one level deeper", policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "a", "x", "c", "registry/trusted/deep/app:1")}, "", policy.Replace, policy.Enforce},
		{"docker", policy.Request{ContainerdNamespace: "moby", Filtered: true}, "docker", policy.Replace, policy.Enforce},
		{"both capabilities", policy.Request{ContainerdNamespace: "a", Bounding: []string{"CAP_BPF", "CAP_CHOWN", "CAP_SYS_ADMIN"}}, "admins", policy.Leave, policy.Enforce},
		{"one capability", policy.Request{ContainerdNamespace: "a", Bounding: []string{"CAP_SYS_ADMIN"}}, "", policy.Replace, policy.Enforce},
		{"annotation", policy.Request{ContainerdNamespace: "a", Annotations: map[string]string{"example.com/tier": "silver"}}, "marked", policy.Refuse, policy.Enforce},
		{"annotation of another value", policy.Request{ContainerdNamespace: "a", Annotations: map[string]string{"example.com/tier": "tin"}}, "", policy.Replace, policy.Enforce},
		{"wrapper", policy.Request{ContainerdNamespace: "a", Runtime: "batten-runc"}, "wrapper", policy.Refuse, policy.Audit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := p.Decide(tt.request)
			if d.Rule != tt.rule || d.Verdict != tt.verdict || d.Mode != tt.mode {
				t.Errorf("got rule %q, %s, %s; want rule %q, %s, %s", d.Rule, d.Verdict, d.Mode, tt.rule, tt.verdict, tt.mode)
			}
		})
	}
}

// A name that nobody vouches for matches nothing, not even "*".
func TestUnknownNamesMatchNothing(t *testing.T) {
	for _, match := range []string{"pod: {namespace: ['*']}", "pod: {name: ['*']}", "container: ['*']", "image: ['*']", "annotations: {a: ['*']}"} {
		p := parse(t, "version: 1\nrules: [{name: r, match: {"+match+"}, absent: Deny}]\n")
		claims := cri("container", "ns", "pod", "c", "i")
		if d := p.Decide(policy.Request{ContainerdNamespace: "moby", Annotations: claims}); d.Rule != "" {
			t.Errorf("%s matches a container of Docker's", match)
		}
		claims["a"] = ""
		if d := p.Decide(policy.Request{ContainerdNamespace: "k8s.io", Annotations: claims}); d.Rule != "r" {
			t.Errorf("%s does not match a container of CRI's", match)
		}
	}
}

func TestReason(t *testing.T) {
	p := parse(t, "version: 1\npresent: Deny\nrules: [{name: r, match: {containerdNamespace: [x]}, absent: Deny}]\n")
	for _, tt := range []struct {
		request      policy.Request
		reason, hint string
	}{
		{
			policy.Request{ContainerdNamespace: "x"},
			`it asks for no seccomp filter, and rule "r" says absent: Deny`,
			"ask for a filter (in Kubernetes: securityContext.seccompProfile.type RuntimeDefault or Localhost, and not privileged), or have the node's policy changed",
		},
		{
			policy.Request{ContainerdNamespace: "y", Filtered: true},
			`it brings a seccomp filter, and the policy's top level says present: Deny`,
			"leave the filter out, or have the node's policy changed",
		},
	} {
		d := p.Decide(tt.request)
		if d.Reason != tt.reason || d.Remedy() != tt.hint {
			t.Errorf("got\n%s\n%s\nwant\n%s\n%s", d.Reason, d.Remedy(), tt.reason, tt.hint)
		}
	}
}

// A runtimeDefault of the node's own is what RuntimeDefault means everywhere.
func TestRuntimeDefaultOfTheNode(t *testing.T) {
	p := parse(t, "version: 1\nruntimeDefault: ours\nprofiles: {ours: {inline: {defaultAction: SCMP_ACT_LOG}}}\n")
	d := p.Decide(policy.Request{ContainerdNamespace: "x"})
	s, _, err := p.Seccomp(d, nil, policy.Machine{})
	if err != nil || s.DefaultAction != "SCMP_ACT_LOG" {
		t.Errorf("got %+v (%v)", s, err)
	}
}

// A machine without an ABI gets a filter without it, and a note of that.
func TestSeccompForMachine(t *testing.T) {
	p := parse(t, "version: 1\nabsent: a\nprofiles: {a: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86], syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}}")
	s, notes, err := p.Seccomp(p.Decide(policy.Request{}), nil, policy.Machine{ABIs: profile.ABIs{Probed: true}})
	if err != nil || len(s.Architectures) != 1 || len(notes) == 0 {
		t.Errorf("architectures %v, notes %q (%v)", s.Architectures, notes, err)
	}
}

func TestDecideFloor(t *testing.T) {
	p := parse(t, `
version: 1
floor: RuntimeDefault
profiles: {base: {inline: {defaultAction: SCMP_ACT_LOG}}}
rules:
- name: base
  match: {containerdNamespace: [base]}
  absent: base
  present: base
- name: free
  match: {containerdNamespace: [free]}
  floor: None
- name: unconfined
  match: {containerdNamespace: [unconfined]}
  absent: Unconfined
  present: Deny
`)
	for _, tt := range []struct {
		namespace string
		filtered  bool
		want      policy.Decision // without Mode
	}{
		{"x", false, policy.Decision{
			Question: "absent", Word: "RuntimeDefault", Verdict: policy.Replace, Profile: "RuntimeDefault", Floor: "RuntimeDefault",
			Reason: "it asks for no seccomp filter, and the policy's top level says absent: RuntimeDefault, with the floor RuntimeDefault",
		}},
		{"x", true, policy.Decision{
			Question: "present", Word: "Keep", Verdict: policy.Tighten, Floor: "RuntimeDefault",
			Reason: "it brings a seccomp filter, and the policy's top level says present: Keep, with the floor RuntimeDefault",
		}},
		{"base", true, policy.Decision{
			Rule: "base", Question: "present", Word: "base", Verdict: policy.Replace, Profile: "base", Floor: "RuntimeDefault",
			Reason: `it brings a seccomp filter, and rule "base" says present: base, with the floor RuntimeDefault`,
		}},
		{"free", true, policy.Decision{
			Rule: "free", Question: "present", Word: "Keep", Verdict: policy.Leave,
			Reason: `it brings a seccomp filter, and rule "free" says present: Keep`,
		}},
		{"unconfined", false, policy.Decision{
			Rule: "unconfined", Question: "absent", Word: "Unconfined", Verdict: policy.Replace, Profile: "RuntimeDefault", Floor: "RuntimeDefault",
			Reason: `it asks for no seccomp filter, and rule "unconfined" says absent: Unconfined, with the floor RuntimeDefault`,
		}},
		{"unconfined", true, policy.Decision{
			Rule: "unconfined", Question: "present", Word: "Deny", Verdict: policy.Refuse,
			Reason: `it brings a seccomp filter, and rule "unconfined" says present: Deny`,
		}},
	} {
		tt.want.Mode = policy.Enforce
		if got := p.Decide(policy.Request{ContainerdNamespace: tt.namespace, Filtered: tt.filtered}); got != tt.want {
			t.Errorf("%s, filtered %v:\ngot  %+v\nwant %+v", tt.namespace, tt.filtered, got, tt.want)
		}
	}
}

// The policies to start from are policies, and the default is the built-in one.
func TestDeployedPolicies(t *testing.T) {
	for file, want := range map[string]policy.Answers{
		"default": {Absent: policy.RuntimeDefault, Present: policy.Keep, Floor: policy.None, Mode: policy.Enforce},
		"strict":  {Absent: policy.RuntimeDefault, Present: policy.Keep, Floor: policy.RuntimeDefault, Mode: policy.Enforce},
	} {
		p, findings := policy.Loader{AnyOwner: true}.Load("../deploy/policies/" + file + ".yaml")
		if len(findings) > 0 || p.Answers != want || len(p.Rules) != 0 {
			t.Errorf("%s: %+v (%v)", file, p, findings)
		}
	}
}

func Example() {
	p, findings := policy.Parse("policy.yaml", []byte(`
version: 1
absent: RuntimeDefault
rules:
- name: nothing unfiltered for tenants
  match: {pod: {namespace: [tenant-*]}}
  absent: Deny
`), nil)
	if findings.Err() != nil {
		fmt.Println(findings)
		return
	}
	d := p.Decide(policy.Request{
		ContainerdNamespace: "k8s.io",
		Annotations: map[string]string{
			"io.kubernetes.cri.container-type":    "container",
			"io.kubernetes.cri.sandbox-namespace": "tenant-a",
		},
	})
	fmt.Println(d.Verdict+":", d.Reason)
	// Output:
	// Refuse: it asks for no seccomp filter, and rule "nothing unfiltered for tenants" says absent: Deny
}
