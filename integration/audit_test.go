package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// TestAuditSaysWhatIsEnforced: of a job that is gone, the policy's log says which calls
// enforcement would deny, and of the probe's calls these and no others are denied once the
// policy enforces. It holds where no engine's log has a line of Batten's, too.
func TestAuditSaysWhatIsEnforced(t *testing.T) {
	t.Run("the shim", func(t *testing.T) {
		n := node.Start(t, newest)
		auditedByContainerd(t, n, node.Run{Runtime: node.Batten})
	})
	t.Run("containerd 1.6, batten-runc", func(t *testing.T) {
		n := node.Start(t, "debian")
		auditedByContainerd(t, n, node.Run{Runtime: node.Stock, Options: wrapped(t, n, n.Runtime())})
	})
	t.Run("Docker 20.10", func(t *testing.T) {
		n := node.Bare(t, "debian")
		wrapped(t, n, n.Runtime())
		n.StartDocker(node.DockerConfig{"runtimes": map[string]any{"batten": map[string]any{"path": filepath.Join(n.Bin, "batten-runc")}}})
		output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
		audited(t, n, "nothing", unfiltered, func() string {
			return output(t, "run", dockerRun(n, []string{"--runtime", "batten", "--security-opt", "seccomp=unconfined"}, probeCalls...))
		})
	})
	t.Run("Podman", func(t *testing.T) {
		n := node.Bare(t, "debian")
		wrapper := filepath.Join(n.Bin, "batten-runc")
		wrapped(t, n, filepath.Join(n.Bin, "crun"))
		output(t, "load", podman(n, wrapper, "load", "-i", node.ImageArchive(t)))
		run := append(podmanRun(n, "--security-opt", "seccomp=unconfined", "--rm"), imageOf(n, wrapper, t))
		audited(t, n, "nothing", unfiltered, func() string {
			return output(t, "run", podman(n, wrapper, append(run, probeCalls...)...))
		})
	})
}

// auditedByContainerd audits jobs of containerd's client.
func auditedByContainerd(t *testing.T, n *node.Node, run node.Run) {
	t.Helper()
	run.Args = probeCalls
	for _, tt := range []struct {
		name, stock string
		spec        []oci.SpecOpts
	}{
		{name: "nothing", stock: unfiltered},
		{name: "its own filter", stock: keysDenied, spec: []oci.SpecOpts{node.WithSeccomp(denyKeys())}},
		{name: "privileged", stock: unfiltered, spec: []oci.SpecOpts{oci.WithPrivileged}},
	} {
		run.Spec = tt.spec
		audited(t, n, tt.name, tt.stock, func() string { return n.Output(run) })
	}
}

// audited runs a job under a policy that audits, and then under the same one that enforces.
func audited(t *testing.T, n *node.Node, name, stock string, job func() string) {
	t.Helper()
	const policy = "version: 1\nfloor: RuntimeDefault\n"
	log := filepath.Join(n.Dir, "audit.jsonl")
	setPolicy(t, n, policy+"mode: Audit\nlog: "+log+"\n")
	before := job()
	if before != stock {
		t.Errorf("%s: audited, it wrote\n%swant\n%s", name, before, stock)
	}
	change := lastLine(t, log).WouldChange
	if change == nil {
		t.Fatalf("%s: the log does not say what would change", name)
	}
	setPolicy(t, n, policy)
	after := job()
	told := slices.Concat(change.Denied, change.DeniedSome)
	for call, was := range results(before) {
		is := results(after)[call]
		call = strings.TrimPrefix(call, "i386_")
		if denied := is == "EPERM" && was != "EPERM"; denied != (slices.Contains(told, call) && was != "EPERM") {
			t.Errorf("%s: %s was %s and is %s, and the log said %s (%q)", name, call, was, is, change.Text, told)
		}
	}
	if before == after || !strings.HasPrefix(change.Text, "would deny ") {
		t.Errorf("%s: %s, and enforced it wrote\n%s", name, change.Text, after)
	}
}

// lastLine returns the last decision of a policy's log, which has denials, too.
func lastLine(t *testing.T, log string) (rec record.Record) {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var next record.Record
		if err := json.Unmarshal(line, &next); err != nil {
			t.Fatal(err)
		}
		if next.Verdict != "" {
			rec = next
		}
	}
	return rec
}

// results returns what the probe wrote, by call.
func results(out string) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(out) {
		if call, result, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			all[call] = result
		}
	}
	return all
}

// TestExplainBundle: of a container that runs, explain says what it asked for, and not what
// Batten has put into its config.json since; and whose it is by the bundle's path.
func TestExplainBundle(t *testing.T) {
	t.Run("the shim", func(t *testing.T) {
		n := node.Start(t, newest)
		tasks := ""
		for _, tt := range []struct {
			name, runtime, want string
			spec                []oci.SpecOpts
		}{
			{name: "nothing", runtime: node.Batten, want: "run it under RuntimeDefault, because it asks for no seccomp filter"},
			{name: "its own", runtime: node.Batten, want: "leave it as it is, because it brings a seccomp filter", spec: []oci.SpecOpts{node.WithSeccomp(denyKeys())}},
			{name: "by another", runtime: node.Stock, want: "run it under RuntimeDefault, because it asks for no seccomp filter"},
		} {
			c, err := n.Start(node.Run{Runtime: tt.runtime, Namespace: "moby", Spec: tt.spec})
			if err != nil {
				t.Fatal(err)
			}
			if tt.runtime == node.Batten {
				tasks = filepath.Dir(n.Record(t, "moby", c.ID).Bundle)
			}
			out := output(t, "explain", n.Command("batten", "explain", filepath.Join(tasks, c.ID)))
			for _, want := range []string{"decision:  " + tt.want, "container: Container in containerd namespace moby"} {
				if !strings.Contains(out, want) {
					t.Errorf("%s: no %q in\n%s", tt.name, want, out)
				}
			}
			const unseen = "note:      Batten has no record of this container"
			if got := strings.Contains(out, unseen); got != (tt.runtime == node.Stock) {
				t.Errorf("%s: %v that\n%s", tt.name, got, out)
			}
			c.Remove()
		}
	})
	t.Run("Podman", func(t *testing.T) {
		n := node.Bare(t, "debian")
		wrapper := filepath.Join(n.Bin, "batten-runc")
		wrapped(t, n, filepath.Join(n.Bin, "crun"))
		output(t, "load", podman(n, wrapper, "load", "-i", node.ImageArchive(t)))
		run := append(podmanRun(n, "--security-opt", "seccomp=unconfined", "-d", "--name", "life"), imageOf(n, wrapper, t), "/probe", "pause")
		id := strings.TrimSpace(output(t, "run", podman(n, wrapper, run...)))
		setPolicy(t, n, "version: 1\nrules: [{name: ours, match: {runtime: [batten-runc]}, absent: RuntimeDefault}]\nabsent: Deny\n")
		out := output(t, "explain", n.Command("batten", "explain", filepath.Join(n.Dir, "storage", "overlay-containers", id, "userdata")))
		for _, want := range []string{"rule:      ours", "it asks for no seccomp filter", "container: Container in no containerd namespace"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
		output(t, "rm", podman(n, wrapper, "rm", "-f", "-t", "0", "life"))
	})
}
