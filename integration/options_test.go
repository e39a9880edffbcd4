package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
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
