package policy_test

import (
	"fmt"
	"path/filepath"
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
	p := parse(t, "version: 1\npresent: Deny\nrules: [{name: r, match: {containerdNamespace: [x]}, absent: Deny, present: Keep}]\n")
	for _, tt := range []struct {
		request      policy.Request
		reason, hint string
	}{
		{
			request: policy.Request{ContainerdNamespace: "x"},
			reason:  `it asks for no seccomp filter, and rule "r" says absent: Deny`,
			hint:    "ask for a filter (in Kubernetes: securityContext.seccompProfile.type RuntimeDefault or Localhost, and not privileged), or have the node's policy changed",
		},
		{
			request: policy.Request{ContainerdNamespace: "y", Filtered: true},
			reason:  `it brings a seccomp filter, and the policy's top level says present: Deny`,
			hint:    "leave the filter out, or have the node's policy changed",
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
	o := p.Resolve(policy.Request{ContainerdNamespace: "x"}, nil, policy.Machine{})
	if o.Refusal != "" || o.Result.DefaultAction != "SCMP_ACT_LOG" {
		t.Errorf("got %+v", o)
	}
}

// A machine without an ABI gets a filter without it, and a note of that.
func TestSeccompForMachine(t *testing.T) {
	p := parse(t, "version: 1\nabsent: a\nprofiles: {a: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86], syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}}")
	o := p.Resolve(policy.Request{}, nil, policy.Machine{ABIs: profile.ABIs{Probed: true}})
	if o.Refusal != "" || len(o.Result.Architectures) != 1 || len(o.Notes) == 0 {
		t.Errorf("got %+v", o)
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
		{namespace: "x", filtered: false, want: policy.Decision{
			Question: "absent", Word: "RuntimeDefault", Verdict: policy.Replace, Profile: "RuntimeDefault", Floor: "RuntimeDefault",
			Reason: "it asks for no seccomp filter, and the policy's top level says absent: RuntimeDefault, with the floor RuntimeDefault",
		}},
		{namespace: "x", filtered: true, want: policy.Decision{
			Question: "present", Word: "Keep", Verdict: policy.Tighten, Floor: "RuntimeDefault",
			Reason: "it brings a seccomp filter, and the policy's top level says present: Keep, with the floor RuntimeDefault",
		}},
		{namespace: "base", filtered: true, want: policy.Decision{
			Rule: "base", Question: "present", Word: "base", Verdict: policy.Replace, Profile: "base", Floor: "RuntimeDefault",
			Reason: `it brings a seccomp filter, and rule "base" says present: base, with the floor RuntimeDefault`,
		}},
		{namespace: "free", filtered: true, want: policy.Decision{
			Rule: "free", Question: "present", Word: "Keep", Verdict: policy.Leave,
			Reason: `it brings a seccomp filter, and rule "free" says present: Keep`,
		}},
		{namespace: "unconfined", filtered: false, want: policy.Decision{
			Rule: "unconfined", Question: "absent", Word: "Unconfined", Verdict: policy.Replace, Profile: "RuntimeDefault", Floor: "RuntimeDefault",
			Reason: `it asks for no seccomp filter, and rule "unconfined" says absent: Unconfined, with the floor RuntimeDefault`,
		}},
		{namespace: "unconfined", filtered: true, want: policy.Decision{
			Rule: "unconfined", Question: "present", Word: "Deny", Verdict: policy.Refuse,
			Reason: `it brings a seccomp filter, and rule "unconfined" says present: Deny`,
		}},
	} {
		tt.want.Mode, tt.want.Hooks = policy.Enforce, policy.Keep
		if got := p.Decide(policy.Request{ContainerdNamespace: tt.namespace, Filtered: tt.filtered}); got != tt.want {
			t.Errorf("%s, filtered %v:\ngot  %+v\nwant %+v", tt.namespace, tt.filtered, got, tt.want)
		}
	}
}

// Each policy that is shipped is one without a doubt.
func TestShippedPolicies(t *testing.T) {
	files, err := filepath.Glob("../deploy/policies/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%q (%v)", files, err)
	}
	for _, file := range files {
		if _, findings := (policy.Loader{AnyOwner: true}).Load(file); len(findings) > 0 {
			t.Error(findings)
		}
	}
}

// The policies to start from are policies, and the default is the built-in one.
func TestDeployedPolicies(t *testing.T) {
	for file, want := range map[string]policy.Answers{
		"default": {Absent: policy.RuntimeDefault, Present: policy.Keep, Floor: policy.None, Hooks: policy.Keep, Mode: policy.Enforce},
		"strict":  {Absent: policy.RuntimeDefault, Present: policy.Keep, Floor: policy.RuntimeDefault, Hooks: policy.Keep, Mode: policy.Enforce},
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
