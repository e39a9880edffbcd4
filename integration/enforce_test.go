package integration

import (
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// What a default profile is for, and two calls that it lets through.
var probeCalls = []string{"/probe", "call", "getpid", "i386_getpid", "keyctl", "add_key", "unshare", "bpf", "perf_event_open", "i386_keyctl"}

// EINVAL is the kernel's own answer to arguments that mean nothing: the call
// got there.
var (
	unfiltered = calls("getpid", "OK", "i386_getpid", "OK", "keyctl", "OK", "add_key", "OK", "unshare", "OK", "bpf", "EINVAL", "perf_event_open", "EINVAL", "i386_keyctl", "OK")
	filtered   = calls("getpid", "OK", "i386_getpid", "OK", "keyctl", "EPERM", "add_key", "EPERM", "unshare", "EPERM", "bpf", "EPERM", "perf_event_open", "EPERM", "i386_keyctl", "EPERM")
	// Privileged containers have CAP_SYS_ADMIN, which containerd's default
	// profile is widened by.
	filteredAdmin = calls("getpid", "OK", "i386_getpid", "OK", "keyctl", "EPERM", "add_key", "EPERM", "unshare", "OK", "bpf", "EINVAL", "perf_event_open", "EINVAL", "i386_keyctl", "EPERM")
	// denyKeys keeps two calls away and no more.
	keysDenied = calls("getpid", "OK", "i386_getpid", "OK", "keyctl", "OK", "add_key", "EPERM", "unshare", "OK", "bpf", "EINVAL", "perf_event_open", "EPERM", "i386_keyctl", "OK")
)

// TestEnforced is the main job.
func TestEnforced(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		for _, tt := range []struct {
			name          string
			spec          []oci.SpecOpts
			stock, batten string // what the probe says
			mode          string // Seccomp under the stock shim
		}{
			{name: "unset", stock: unfiltered, batten: filtered, mode: "0"},
			{
				name: "unconfined", spec: []oci.SpecOpts{node.WithSeccomp(nil)}, stock: unfiltered,
				batten: filtered, mode: "0",
			},
			{
				name:  "no_new_privs",
				spec:  []oci.SpecOpts{oci.WithNewPrivileges, oci.WithNoNewPrivileges},
				stock: unfiltered, batten: filtered, mode: "0",
			},
			{
				name: "privileged", spec: []oci.SpecOpts{oci.WithPrivileged}, stock: unfiltered,
				batten: filteredAdmin, mode: "0",
			},
			{
				name: "its own filter", spec: []oci.SpecOpts{node.WithSeccomp(denyKeys())},
				stock: keysDenied, batten: keysDenied, mode: "2",
			},
		} {
			t.Run(tt.name, func(t *testing.T) {
				for _, side := range []struct{ runtime, mode, calls string }{
					{runtime: node.Stock, mode: tt.mode, calls: tt.stock}, {runtime: node.Batten, mode: "2", calls: tt.batten},
				} {
					c, err := n.Start(node.Run{Runtime: side.runtime, Spec: tt.spec})
					if err != nil {
						t.Fatalf("%s: %v", side.runtime, err)
					}
					filters := map[string]string{"0": "0", "2": "1"}[side.mode]
					wantEventually(t, n, side.runtime, c, side.mode, filters)
					out, err := c.Exec(probeCalls...)
					if err != nil || out != side.calls {
						t.Errorf("%s: an exec wrote (%v)\n%swant\n%s", side.runtime, err, out, side.calls)
					}
					c.Remove()
					// The first process itself, not only an exec.
					if out := n.Output(node.Run{Runtime: side.runtime, Args: probeCalls, Spec: tt.spec}); out != side.calls {
						t.Errorf("%s: the container wrote\n%swant\n%s", side.runtime, out, side.calls)
					}
				}
			})
		}
	})
}

// TestCapabilitiesWiden: the forced default is the container's own, by its
// bounding set, as containerd would have made it.
func TestCapabilitiesWiden(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		for _, tt := range []struct {
			capability string
			bpf, perf  string
		}{
			{capability: "CAP_CHOWN", bpf: "EPERM", perf: "EPERM"}, {capability: "CAP_BPF", bpf: "EINVAL", perf: "EPERM"}, {capability: "CAP_PERFMON", bpf: "EPERM", perf: "EINVAL"}, {capability: "CAP_SYS_ADMIN", bpf: "EINVAL", perf: "EINVAL"},
		} {
			spec := []oci.SpecOpts{oci.WithAddedCapabilities([]string{tt.capability})}
			args := []string{"/probe", "call", "getpid", "bpf", "perf_event_open"}
			got := n.Output(node.Run{Runtime: node.Batten, Args: args, Spec: spec})
			if want := calls("getpid", "OK", "bpf", tt.bpf, "perf_event_open", tt.perf); got != want {
				t.Errorf("%s: got\n%swant\n%s", tt.capability, got, want)
			}
			if got, want := n.Output(node.Run{Runtime: node.Stock, Args: args, Spec: spec}), calls("getpid", "OK", "bpf", "EINVAL", "perf_event_open", "EINVAL"); got != want {
				t.Errorf("%s, stock: got\n%swant\n%s", tt.capability, got, want)
			}
		}
	})
}

// TestRules: an exception, a refusal, a replacement, audit; by containerd
// namespace, which the daemon vouches for.
func TestRules(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		setPolicy(t, n, `version: 1
profiles:
  no-getpid: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [getpid], action: SCMP_ACT_ERRNO, errnoRet: 95}]}}
rules:
- {name: exception, match: {containerdNamespace: [moby]}, absent: Unconfined, present: no-getpid}
- {name: none unfiltered, match: {containerdNamespace: [k8s.io]}, absent: Deny, present: Deny, mode: Enforce}
`)
		getpid := []string{"/probe", "call", "getpid", "keyctl"}
		if got, want := n.Output(node.Run{Runtime: node.Batten, Namespace: "moby", Args: getpid}), calls("getpid", "OK", "keyctl", "OK"); got != want {
			t.Errorf("the exception: got\n%swant\n%s", got, want)
		}
		keys := []oci.SpecOpts{node.WithSeccomp(denyKeys())}
		if got, want := n.Output(node.Run{Runtime: node.Batten, Namespace: "moby", Args: getpid, Spec: keys}), calls("getpid", "EOPNOTSUPP", "keyctl", "OK"); got != want {
			t.Errorf("the replacement: got\n%swant\n%s", got, want)
		}
		for name, spec := range map[string][]oci.SpecOpts{"absent": nil, "present": keys} {
			c, err := n.Create(node.Run{Runtime: node.Batten, Namespace: "k8s.io", Spec: spec})
			wantError(t, name, err, `rule "none unfiltered" says `+name+`: Deny (policy "/etc/batten/policy.yaml")`)
			c.Remove()
			// The same container where the rule is not.
			if got, want := n.Output(node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", "getpid"}, Spec: spec}), calls("getpid", "OK"); got != want {
				t.Errorf("beside the rule: got\n%swant\n%s", got, want)
			}
		}
		setPolicy(t, n, "version: 1\nabsent: Deny\nmode: Audit\n")
		if got, want := n.Output(node.Run{Runtime: node.Batten, Args: getpid}), calls("getpid", "OK", "keyctl", "OK"); got != want {
			t.Errorf("audit: got\n%swant\n%s", got, want)
		}
	})
}

// TestImitation: a container that claims by annotation to be a pod of CRI's
// gets what its containerd namespace gets.
func TestImitation(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		setPolicy(t, n, `version: 1
rules:
- {name: agents, match: {pod: {namespace: [monitoring]}, container: [agent]}, absent: Unconfined}
`)
		claim := []oci.SpecOpts{oci.WithAnnotations(map[string]string{
			"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-namespace": "monitoring",
			"io.kubernetes.cri.sandbox-name": "x", "io.kubernetes.cri.container-name": "agent",
		})}
		for _, namespace := range []string{node.Namespace, "moby"} {
			got := n.Output(node.Run{Runtime: node.Batten, Namespace: namespace, Args: probeCalls, Spec: claim})
			if got != filtered {
				t.Errorf("in containerd namespace %s: got\n%swant\n%s", namespace, got, filtered)
			}
		}
	})
}

// wantEventually checks the first process of a container, which runc filters
// only just before execve where no_new_privs is set.
func wantEventually(t *testing.T, n *node.Node, what string, c *node.Created, mode, filters string) {
	t.Helper()
	n.WaitForExec(c)
	wantSeccomp(t, what, c, mode, filters)
}
