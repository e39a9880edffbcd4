package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// wrapped makes batten-runc hand over to a runtime on the node, and returns the
// options with which containerd's own shim calls batten-runc.
func wrapped(t *testing.T, n *node.Node, runtime string) *options.Options {
	t.Helper()
	writeFile(t, filepath.Join(n.Etc, "runc.toml"), fmt.Sprintf("Runtime = %q\n", runtime))
	return &options.Options{BinaryName: filepath.Join(n.Bin, "batten-runc")}
}

// TestWrapper: containerd's own shim, with batten-runc as the runtime that it
// calls. The calls that the stock way lets through are stopped, others work;
// the record is of the containerd namespace, attested, and gone with the
// container.
func TestWrapper(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		for name, runtime := range map[string]string{"runc": n.Runtime(), "crun": node.CrunHere(t, n)} {
			t.Run(name, func(t *testing.T) { checkWrapper(t, n, wrapped(t, n, runtime)) })
		}
	})
}

func checkWrapper(t *testing.T, n *node.Node, opts *options.Options) {
	for _, tt := range []struct {
		name          string
		spec          []oci.SpecOpts
		stock, batten string
	}{
		{name: "unset", stock: unfiltered, batten: filtered},
		{
			name: "privileged", spec: []oci.SpecOpts{oci.WithPrivileged}, stock: unfiltered,
			batten: filteredAdmin,
		},
		{
			name: "its own filter", spec: []oci.SpecOpts{node.WithSeccomp(denyKeys())},
			stock: keysDenied, batten: keysDenied,
		},
	} {
		spec := append([]oci.SpecOpts{node.WithOldSpec}, tt.spec...)
		if out := n.Output(node.Run{Runtime: node.Stock, Args: probeCalls, Spec: spec}); out != tt.stock {
			t.Errorf("%s, stock: the container wrote\n%swant\n%s", tt.name, out, tt.stock)
		}
		run := node.Run{Runtime: node.Stock, Options: opts, Spec: spec}
		c, err := n.Start(run)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		wantSeccomp(t, tt.name, c, "2", "1")
		if out, err := c.Exec(probeCalls...); err != nil || out != tt.batten {
			t.Errorf("%s: an exec wrote (%v)\n%swant\n%s", tt.name, err, out, tt.batten)
		}
		rec := wantAttested(t, n, c)
		if rec.ContainerdNamespace != node.Namespace || rec.Pid != int(c.Task.Pid()) {
			t.Errorf("%s: the record is of %q, process %d; want %q, %d", tt.name, rec.ContainerdNamespace, rec.Pid, node.Namespace, c.Task.Pid())
		}
		c.Remove()
		if left, _ := filepath.Glob(n.Path("/run/batten/@*/*")); len(left) > 0 {
			t.Errorf("%s: left behind: %q", tt.name, left)
		}
		run.Args = probeCalls
		if out := n.Output(run); out != tt.batten {
			t.Errorf("%s: the container wrote\n%swant\n%s", tt.name, out, tt.batten)
		}
	}
}

// wantAttested waits for a container's record to say that it is filtered.
func wantAttested(t *testing.T, n *node.Node, c *node.Created) (rec *record.Record) {
	t.Helper()
	n.Eventually(5*time.Second, "the attestation", func() error {
		list, err := record.Store{Dir: n.Path(names.Records)}.List()
		if err != nil {
			return err
		}
		for _, r := range list {
			if rec = r; r.ID == c.ID && r.Attestation.State == record.Filtered {
				return nil
			}
		}
		return fmt.Errorf("no record of %s says so: %+v", c.ID, list)
	})
	return rec
}

// TestWrapperRefuses: a refusal reaches who asked, in words, and nothing has
// started; beside it stands the same container that may.
func TestWrapperRefuses(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		opts := wrapped(t, n, n.Runtime())
		refused := func(what, want string) {
			t.Helper()
			c, err := n.Start(node.Run{Runtime: node.Stock, Options: opts})
			wantError(t, what, err, want)
			c.Remove()
		}
		allowed := func(what string) {
			t.Helper()
			if out := n.Output(node.Run{Runtime: node.Stock, Options: opts, Args: []string{"/probe", "call", "getpid", "keyctl"}}); out != calls("getpid", "OK", "keyctl", "EPERM") {
				t.Errorf("%s: the container wrote %s", what, out)
			}
		}
		setPolicy(t, n, "version: 1\nrules:\n- {name: none, match: {runtime: [batten-runc], containerdNamespace: [test]}, absent: Deny}\n")
		refused("Deny", `rule "none" says absent: Deny (policy "/etc/batten/policy.yaml")`)
		setPolicy(t, n, "version: 1\nrules:\n- {name: none, match: {runtime: [io.containerd.batten.v2]}, absent: Deny}\n")
		allowed("a rule for the shim")
		setPolicy(t, n, "version: 1\nabsent: RuntimeDfault\n")
		refused("a broken policy", "policy.yaml")
		setPolicy(t, n, "version: 1\n")
		allowed("repaired")

		settings := filepath.Join(n.Etc, "runc.toml")
		if err := os.Chmod(settings, 0o666); err != nil {
			t.Fatal(err)
		}
		refused("settings that anybody may write", "chmod go-w /etc/batten/runc.toml")
		if err := os.Chmod(settings, 0o644); err != nil {
			t.Fatal(err)
		}
		allowed("settings of root's")
		writeFile(t, settings, fmt.Sprintf("Runtime = %q\nPolcy = \"/x\"\n", n.Runtime()))
		refused("an unknown setting", `it may hold Runtime, Policy and ContainerdRoots`)
		writeFile(t, settings, fmt.Sprintf("Runtime = %q\n", filepath.Join(n.Bin, "batten-runc")))
		refused("itself", "is batten-runc itself")
		writeFile(t, settings, fmt.Sprintf("Runtime = %q\n", n.Runtime()))
		allowed("settings mended")
	})
}

// TestWrapperStart: who starts a container by batten-runc is told if it ran without
// the filter that it must have, and it is dead then; where the policy needs none, the
// same runtime may. What the runtime says of itself passes as it is.
func TestWrapperStart(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		opts := wrapped(t, n, droppingRuntime(t, n))
		for policy, want := range map[string]string{
			"version: 1\n":                     "batten: container killed: it ran without the filter that the policy demands: process ",
			"version: 1\nabsent: Unconfined\n": "",
		} {
			setPolicy(t, n, policy)
			c, err := n.NewContainer(node.Run{Runtime: node.Stock, Options: opts})
			if err != nil {
				t.Fatal(err)
			}
			err = c.Begin()
			if want == "" {
				if err != nil {
					t.Errorf("%s: %v", policy, err)
				}
				n.WaitForExec(c)
				wantSeccomp(t, policy, c, "0", "0")
			} else {
				wantError(t, policy, err, want)
				if exit, err := c.WaitExit(); exit != 137 || err != nil {
					t.Errorf("%s: exit status %d (%v), want 137", policy, exit, err)
				}
			}
			c.Remove()
		}

		wrapped(t, n, n.Runtime())
		for _, command := range []string{"start", "delete"} {
			var said [2]string
			for i, binary := range []string{"runc", "batten-runc"} {
				cmd := n.Command(binary, command, "nobody")
				out, err := cmd.CombinedOutput()
				said[i] = fmt.Sprintf("%v: %s", err, timeOf.ReplaceAllString(string(out), ""))
			}
			if said[0] != said[1] || !strings.Contains(said[0], "exit status 1") {
				t.Errorf("%s of no container: runc says %q, batten-runc %q", command, said[0], said[1])
			}
		}
	})
}

var timeOf = regexp.MustCompile(`time="[^"]*" `)

// TestWrapperOfAUser: a user's engine gets no container by batten-runc, since the
// record would have to be root's; root's gets one by the same settings.
func TestWrapperOfAUser(t *testing.T) {
	n := node.Bare(t, newest)
	wrapped(t, n, n.Runtime())
	// Nobody may pass the node's directory, so the binary and a bundle are put where
	// anybody may.
	output(t, "set up", n.Command("sh", "-c", "mkdir -p /run/user/b && cp -L "+filepath.Join(n.Bin, "batten-runc")+" /run/user/ && chmod -R 777 /run/user && cd /run/user/b && runc spec"))
	call := func(before ...string) string {
		out, err := n.Command(append(before, "/run/user/batten-runc", "--root", "/run/user/root", "create", "--bundle", "/run/user/b", "mine")...).CombinedOutput()
		if err == nil {
			t.Errorf("%q made a container", before)
		}
		return string(out)
	}
	// Where a user may pass to the runtime's file, it is the spec's owner that only
	// root could keep.
	out := call("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
	if denied := strings.Contains(out, "permission denied") || strings.Contains(out, "operation not permitted"); !denied || !strings.Contains(out, "batten") {
		t.Errorf("a user was told: %s", out)
	}
	if left, _ := filepath.Glob(n.Path("/run/user/b/.config.json*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	// Root comes as far as the bundle's missing root filesystem.
	if out := call("env"); !strings.Contains(out, "rootfs") {
		t.Errorf("root was told: %s", out)
	}
}
