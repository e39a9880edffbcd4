package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// recordingRunc is a runtime that notes how it is called.
func recordingRunc(t *testing.T, n *node.Node) (path, log string) {
	t.Helper()
	path, log = filepath.Join(n.Dir, "recording-runc"), filepath.Join(n.Dir, "calls")
	writeFile(t, path, "#!/bin/sh\necho \"$@\" >> "+log+"\n"+`for a in "$@"; do
	[ "$a" = --systemd-cgroup ] || set -- "$@" "$a"; shift # there is no systemd here
done
exec runc "$@"
`)
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path, log
}

// TestOptions: every option has its effect, by each way that it can come.
func TestOptions(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		runc, log := recordingRunc(t, n)
		writeFile(t, filepath.Join(n.Etc, "strict.yaml"), "version: 1\nabsent: Deny\n")
		setPolicy(t, n, "version: 1\n")
		table := []string{
			`BinaryName = "` + runc + `"`, `Root = "/run/other-root"`, `SystemdCgroup = true`,
			`NoPivotRoot = true`, `NoNewKeyring = true`, `IoUid = 12`, `IoGid = 34`,
		}
		typed := &options.Options{BinaryName: runc, Root: "/run/other-root", SystemdCgroup: true, NoPivotRoot: true, NoNewKeyring: true, IoUid: 12, IoGid: 34}
		file := filepath.Join(n.Dir, "options.toml")
		writeFile(t, file, strings.Join(table, "\n"))
		for _, tt := range []struct {
			name string
			sent any
		}{
			{name: "typed", sent: typed},
			{name: "table", sent: tomlOptions(table...)},
			{
				name: "file",
				sent: &runtimeoptions.Options{TypeUrl: "runtimeoptions.v1.Options", ConfigPath: file},
			},
		} {
			t.Run(tt.name, func(t *testing.T) {
				_ = os.Remove(log)
				c, err := n.Start(node.Run{Runtime: node.Batten, Options: tt.sent})
				if err != nil {
					t.Fatal(err)
				}
				n.WaitForExec(c)
				wantSeccomp(t, tt.name, c, "2", "1")
				got, _ := os.ReadFile(log)
				for _, flag := range []string{"--root /run/other-root/test", "--systemd-cgroup", "--no-pivot", "--no-new-keyring"} {
					if !strings.Contains(string(got), flag) {
						t.Errorf("runc was not called with %s:\n%s", flag, got)
					}
				}
				// IoUid: runc gives stdout to the container's user afterwards.
				var st syscall.Stat_t
				if err := syscall.Stat(fmt.Sprintf("/proc/%d/fd/1", c.Task.Pid()), &st); err != nil || st.Gid != 34 {
					t.Errorf("stdout is of group %d (%v), want 34", st.Gid, err)
				}
				if rec := n.Record(t, node.Namespace, c.ID); rec.OCIRuntime != runc {
					t.Errorf("the record names runtime %q", rec.OCIRuntime)
				}
				c.Remove()
			})
		}
		for _, tt := range []struct {
			name   string
			sent   any
			refuse string
		}{
			{
				name:   "policy of the handler",
				sent:   tomlOptions(`Policy = "/etc/batten/strict.yaml"`),
				refuse: `says absent: Deny (policy "/etc/batten/strict.yaml")`,
			},
			{
				name:   "policy that is not there",
				sent:   tomlOptions(`Policy = "/etc/batten/none.yaml"`),
				refuse: `policy "/etc/batten/none.yaml": no such file or directory`,
			},
			{
				name: "unknown option", sent: tomlOptions(`Polic = "/x"`),
				refuse: "batten: container refused: runtime options: options table: unknown option Polic",
			},
			{
				name: "wrong type", sent: tomlOptions(`SystemdCgroup = "yes"`),
				refuse: "batten: container refused: runtime options: options table: 1:17: option SystemdCgroup: ",
			},
			{
				name: "missing file", sent: &runtimeoptions.Options{ConfigPath: "/nowhere.toml"},
				refuse: `batten: container refused: runtime options: options file "/nowhere.toml": no such file or directory`,
			},
		} {
			c, err := n.Create(node.Run{Runtime: node.Batten, Options: tt.sent})
			wantError(t, tt.name, err, tt.refuse)
			c.Remove()
		}
	})
}

// TestShimCgroup: the shim goes where the option says.
func TestShimCgroup(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		group := "/" + filepath.Base(n.Dir) + "/shims"
		made := node.MakeCgroup(t, group)
		c, err := n.Start(node.Run{Runtime: node.Batten, Options: tomlOptions(`ShimCgroup = "` + group + `"`)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", c.ShimPid()))
		if err != nil || !strings.Contains(string(got), group) {
			t.Errorf("the shim's cgroups are\n%s(%v), want %s", got, err, group)
		}
		c.Remove()
		n.Eventually(5e9, "the shim to leave its cgroup", func() error {
			var last error
			for _, dir := range made {
				if err := os.Remove(dir); err != nil && !os.IsNotExist(err) {
					last = err
				}
			}
			return last
		})
	})
}

// TestCrun: another OCI runtime behind the shim, with what it keeps of
// compiled filters, by BinaryName.
func TestCrun(t *testing.T) {
	n := node.Start(t, newest)
	crun := node.CrunHere(t, n)
	for _, side := range []struct {
		runtime string
		options any
		mode    string
		calls   string
	}{
		{
			runtime: node.Stock, options: &options.Options{BinaryName: crun}, mode: "0",
			calls: "getpid: OK\nkeyctl: OK\n",
		},
		{
			runtime: node.Batten, options: tomlOptions(`BinaryName = "` + crun + `"`), mode: "2",
			calls: "getpid: OK\nkeyctl: EPERM\n",
		},
	} {
		c, err := n.Start(node.Run{Runtime: side.runtime, Options: side.options, Spec: []oci.SpecOpts{node.WithOldSpec}})
		if err != nil {
			t.Fatalf("%s: %v", side.runtime, err)
		}
		n.Eventually(5e9, side.runtime, func() error {
			if mode, _ := c.Seccomp(); mode != side.mode {
				return fmt.Errorf("Seccomp: %s, want %s", mode, side.mode)
			}
			return nil
		})
		if out, err := c.Exec("/probe", "call", "getpid", "keyctl"); out != side.calls {
			t.Errorf("%s: %q (%v), want %q", side.runtime, out, err, side.calls)
		}
		c.Remove()
	}
}

// TestRestore: a checkpoint brings its own filter, so it is refused unless
// the policy allows it, and then goes to the runtime as a restore. (criu does
// not run on every kernel: the way ends at the runtime here.)
func TestRestore(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		runc, log := recordingRunc(t, n)
		create := func(policy string) (*node.Created, error) {
			setPolicy(t, n, policy)
			return n.Restore(node.Run{Runtime: node.Batten, Options: tomlOptions(`BinaryName = "` + runc + `"`)})
		}
		c, err := create("version: 1\n")
		wantError(t, "denied", err, `batten: container refused: policy "/etc/batten/policy.yaml": restore is Deny: a checkpoint brings a seccomp filter of its own, which the policy cannot see; start the container anew, or write restore: Allow`)
		c.Remove()
		if got, _ := os.ReadFile(log); strings.Contains(string(got), "restore") {
			t.Errorf("the runtime was asked:\n%s", got)
		}
		checkCheckpoint(t, n, runc, log)
		c, err = create("version: 1\nrestore: Allow\n")
		if err != nil {
			t.Fatalf("allowed: %v", err)
		}
		if rec := n.Record(t, node.Namespace, c.ID); len(rec.Notes) == 0 || !strings.Contains(strings.Join(rec.Notes, ";"), "restored") {
			t.Errorf("the record does not tell of the restore: %q", rec.Notes)
		}
		if err := c.StartTask(); err == nil {
			t.Error("a checkpoint of nothing was restored")
		}
		if got, _ := os.ReadFile(log); !strings.Contains(string(got), " restore ") {
			t.Errorf("the runtime was not asked to restore:\n%s", got)
		}
		c.Remove()
	})
}

// checkCheckpoint: asking for a checkpoint goes to the runtime as ever.
func checkCheckpoint(t *testing.T, n *node.Node, runc, log string) {
	t.Helper()
	c, err := n.Start(node.Run{Runtime: node.Batten, Options: tomlOptions(`BinaryName = "` + runc + `"`)})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Task.Checkpoint(context.Background()) // criu may be missing
	if got, _ := os.ReadFile(log); !strings.Contains(string(got), " checkpoint ") {
		t.Errorf("the runtime was not asked for a checkpoint:\n%s", got)
	}
	c.Remove()
}

// TestRecords: the operator's table names what runs now, and nothing else.
func TestRecords(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		c, err := n.Start(node.Run{Runtime: node.Batten})
		if err != nil {
			t.Fatal(err)
		}
		table := func() string {
			out, err := n.Command("batten", "records").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return string(out)
		}
		n.Eventually(5e9, "the attestation in the table", func() error {
			if got := table(); !strings.Contains(got, "test/"+c.ID) || !strings.Contains(got, "Filtered (1)") {
				return fmt.Errorf("%s", got)
			}
			return nil
		})
		c.Remove()
		if got := table(); strings.Count(got, "\n") != 1 {
			t.Errorf("after its end:\n%s", got)
		}
	})
}
