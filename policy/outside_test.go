package policy_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

// A mount shows a path where it is of the path, of a directory above, or of
// something below: the directories above are the dangerous ones.
func TestMatchMounts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		pattern string
		mounts  []string
		root    []string
		want    bool
	}{
		{name: "no mounts", pattern: "/etc/batten"},
		{name: "the path itself", pattern: "/etc/batten", mounts: []string{"/etc/batten"}, want: true},
		{name: "below it", pattern: "/etc/batten", mounts: []string{"/etc/batten/profiles/x.json"}, want: true},
		{name: "above it", pattern: "/etc/batten", mounts: []string{"/etc"}, want: true},
		{name: "the node's root", pattern: "/etc/batten", mounts: []string{"/"}, want: true},
		{name: "beside it", pattern: "/etc/batten", mounts: []string{"/etc/ssl"}},
		{name: "a longer name", pattern: "/etc/batten", mounts: []string{"/etc/batten2"}},
		{name: "a shorter name", pattern: "/etc/batten", mounts: []string{"/etc/bat"}},
		{name: "one of several", pattern: "/etc/batten", mounts: []string{"/var", "/etc", "/srv"}, want: true},
		{name: "by detours", pattern: "/etc/batten", mounts: []string{"/var/..//etc/./batten/"}, want: true},
		{name: "above the root", pattern: "/etc/batten", mounts: []string{"/../../etc"}, want: true},
		{name: "a glob", pattern: "/run/*/x.sock", mounts: []string{"/run/a/x.sock"}, want: true},
		{name: "above a glob", pattern: "/run/*/x.sock", mounts: []string{"/run/a"}, want: true},
		{name: "further above a glob", pattern: "/run/*/x.sock", mounts: []string{"/run"}, want: true},
		{name: "beside a glob", pattern: "/run/*/x.sock", mounts: []string{"/run/a/y.sock"}},
		{name: "a glob is of one step", pattern: "/run/*/x.sock", mounts: []string{"/run/a/b/x.sock"}},
		{name: "the node's root as the container's", pattern: "/etc/batten", root: []string{"/"}, want: true},
		{name: "a root above", pattern: "/etc/batten", root: []string{"/etc"}, want: true},
		{name: "the path as the root", pattern: "/etc/batten", root: []string{"/etc/batten"}, want: true},
		{name: "a root below is its own", pattern: "/run/containerd", root: []string{"/run/containerd/x/rootfs"}},
		{name: "a mount below is not", pattern: "/run/containerd", mounts: []string{"/run/containerd/x/rootfs"}, want: true},
	} {
		p := parse(t, "version: 1\nrules: [{name: r, match: {mounts: ["+`"`+tt.pattern+`"`+"]}, absent: Deny}]\n")
		d := p.Decide(policy.Request{Mounts: tt.mounts, Root: tt.root})
		if got := d.Rule == "r"; got != tt.want {
			t.Errorf("%s: %s by %q and root %q: %v", tt.name, tt.pattern, tt.mounts, tt.root, got)
		}
	}
}

func TestMatchNamespaces(t *testing.T) {
	p := parse(t, "version: 1\nrules: [{name: r, match: {namespaces: [host-pid, host-ipc]}, absent: Deny}]\n")
	for want, lists := range map[bool][][]string{
		true:  {{"host-pid"}, {"host-ipc"}, {"host-user", "host-ipc"}, {"host-pid", "host-ipc"}},
		false: {nil, {"host-user"}, {"host-network", "host-user"}},
	} {
		for _, list := range lists {
			if got := p.Decide(policy.Request{Namespaces: list}).Rule == "r"; got != want {
				t.Errorf("%q: %v", list, got)
			}
		}
	}
}

// What cannot be found out is not guessed, and only where a rule asks.
func TestUnseen(t *testing.T) {
	r := policy.Request{ContainerdNamespace: "default", Unseen: "which pid namespace it joins: stat /proc/7/ns/pid: no such file or directory"}
	p := parse(t, "version: 1\nrules: [{name: r, match: {namespaces: [host-pid]}, absent: Deny}]\n")
	const want = `policy "p.yaml": its rules match mounts or namespaces, and it is unknown which pid namespace it joins: stat /proc/7/ns/pid: no such file or directory`
	if o := p.Resolve(r, nil, policy.Machine{}); o.Refusal != want || !o.Refused() {
		t.Errorf("got  %s\nwant %s", o.Refusal, want)
	}
	r.Unseen = ""
	if o := p.Resolve(r, nil, policy.Machine{}); o.Refused() {
		t.Errorf("with all seen: %s", o.Refusal)
	}
}

func TestHooks(t *testing.T) {
	hook := func(kind, path string) policy.Hook { return policy.Hook{Kind: kind, Path: path, Args: []string{"x"}} }
	one := []policy.Hook{hook("prestart", "/bin/a")}
	many := []policy.Hook{hook("prestart", "/1"), hook("prestart", "/2"), hook("poststop", "/3"), hook("poststop", "/4"), hook("poststop", "/5"), hook("poststop", "/6"), hook("poststop", "/7")}
	const remedy = "; leave the hooks out (engines take them from hooks.d, CDI and the container's own spec), or have the node's policy say hooks: Record for it"
	for _, tt := range []struct {
		name, policy string
		namespace    string
		hooks        []policy.Hook
		refusal      string
		word         string
	}{
		{name: "kept by default", policy: "version: 1", hooks: one, word: policy.Keep},
		{name: "recorded", policy: "version: 1\nhooks: Record", hooks: one, word: policy.Record},
		{name: "denied", policy: "version: 1\nhooks: Deny", hooks: one, word: policy.Deny, refusal: `it brings the hook prestart /bin/a, and the policy's top level says hooks: Deny (policy "p.yaml")` + remedy},
		{name: "denied, with none", policy: "version: 1\nhooks: Deny", word: policy.Deny},
		{name: "many denied", policy: "version: 1\nhooks: Deny", hooks: many, word: policy.Deny, refusal: `it brings 7 hooks (prestart /1, prestart /2, poststop /3, poststop /4, poststop /5, 2 more), and the policy's top level says hooks: Deny (policy "p.yaml")` + remedy},
		{name: "denied by a rule", policy: "version: 1\nrules: [{name: r, match: {containerdNamespace: [a]}, hooks: Deny}]", namespace: "a", hooks: one, word: policy.Deny, refusal: `it brings the hook prestart /bin/a, and rule "r" says hooks: Deny (policy "p.yaml")` + remedy},
		{name: "beside the rule", policy: "version: 1\nrules: [{name: r, match: {containerdNamespace: [a]}, hooks: Deny}]", namespace: "b", hooks: one, word: policy.Keep},
		{name: "a rule takes the top's word", policy: "version: 1\nhooks: Deny\nrules: [{name: r, match: {containerdNamespace: [a]}}]", namespace: "a", hooks: one, word: policy.Deny, refusal: `it brings the hook prestart /bin/a, and rule "r" says hooks: Deny (policy "p.yaml")` + remedy},
		{name: "a rule may keep them", policy: "version: 1\nhooks: Deny\nrules: [{name: r, match: {containerdNamespace: [a]}, hooks: Keep}]", namespace: "a", hooks: one, word: policy.Keep},
		{name: "without a filter as well", policy: "version: 1\nhooks: Deny\nabsent: Unconfined", hooks: one, word: policy.Deny, refusal: `it brings the hook prestart /bin/a, and the policy's top level says hooks: Deny (policy "p.yaml")` + remedy},
		{name: "the filter's refusal comes first", policy: "version: 1\nhooks: Deny\nabsent: Deny", hooks: one, word: policy.Deny, refusal: `it asks for no seccomp filter, and the policy's top level says absent: Deny (policy "p.yaml"); ask for a filter (in Kubernetes: securityContext.seccompProfile.type RuntimeDefault or Localhost, and not privileged), or have the node's policy changed`},
	} {
		o := parse(t, tt.policy).Resolve(policy.Request{ContainerdNamespace: tt.namespace, Hooks: tt.hooks}, nil, policy.Machine{})
		if o.Refusal != tt.refusal || o.Hooks != tt.word {
			t.Errorf("%s: hooks: %s, and\ngot  %s\nwant %s", tt.name, o.Hooks, o.Refusal, tt.refusal)
		}
	}
	// Audit refuses nothing, and says what it would have refused.
	o := parse(t, "version: 1\nhooks: Deny\nmode: Audit").Resolve(policy.Request{Hooks: one}, nil, policy.Machine{})
	if o.Refused() || !strings.HasPrefix(o.Refusal, "it brings the hook prestart /bin/a") {
		t.Errorf("in audit mode: %v, %s", o.Refused(), o.Refusal)
	}
}

// Where no filter would help, none is advised.
func TestRemedyOfRefusedAlways(t *testing.T) {
	const rule = "version: 1\nrules: [{name: r, match: {mounts: [/etc/batten]}, absent: Deny, present: Deny}]\n"
	for _, tt := range []struct {
		name, policy string
		filtered     bool
		want         string
	}{
		{name: "by a rule", policy: rule, want: "the rule refuses all that it matches, with a filter or without: leave out what it matches, such as a mount, or have the node's policy changed"},
		{name: "by a rule, with a filter", policy: rule, filtered: true, want: "the rule refuses all that it matches, with a filter or without: leave out what it matches, such as a mount, or have the node's policy changed"},
		{name: "by the top", policy: "version: 1\nabsent: Deny\npresent: Deny\n", want: "the policy refuses every container, with a filter or without: have it changed"},
		{name: "with a filter only", policy: "version: 1\npresent: Deny\n", filtered: true, want: "leave the filter out, or have the node's policy changed"},
	} {
		d := parse(t, tt.policy).Decide(policy.Request{Mounts: []string{"/"}, Filtered: tt.filtered})
		if got := d.Remedy(); d.Verdict != policy.Refuse || got != tt.want {
			t.Errorf("%s: %s: got  %s\nwant %s", tt.name, d.Verdict, got, tt.want)
		}
	}
}
