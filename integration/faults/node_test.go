package faults

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/policy"
	"github.com/containerd/containerd/api/types/runc/options"
)

// wantRefused: a container does not start, for a reason that the error says.
func wantRefused(t *testing.T, n *node.Node, run node.Run, reason string) {
	t.Helper()
	c, err := n.Start(run)
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %v, want an error that says %s", err, reason)
	}
	c.Remove()
}

// wantStarted: a container starts, and is filtered.
func wantStarted(t *testing.T, n *node.Node, run node.Run) {
	t.Helper()
	c, err := n.Start(run)
	if err != nil {
		t.Fatal(err)
	}
	n.WaitForExec(c)
	if mode, _ := c.Seccomp(); mode != "2" {
		t.Errorf("Seccomp: %s", mode)
	}
	c.Remove()
}

// TestHungDisk: a policy on a file system that does not answer is waited for no
// longer than policy.Patience; batten-runc's settings neither.
func TestHungDisk(t *testing.T) {
	n := node.Start(t, engine)
	ours := node.Run{Runtime: node.Batten}
	wrapper := node.Run{Runtime: node.Stock, Options: &options.Options{BinaryName: filepath.Join(n.Bin, "batten-runc")}}
	if err := os.WriteFile(filepath.Join(n.Etc, "runc.toml"), []byte("Runtime = \""+n.Runtime()+"\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantStarted(t, n, ours)
	wantStarted(t, n, wrapper)
	hang := n.Command(node.Probe(t), "hang", "/etc/batten")
	said, err := hang.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := hang.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := said.Read(make([]byte, 5)); err != nil {
		t.Fatalf("/dev/fuse: %v", err)
	}
	for what, run := range map[string]node.Run{"policy": ours, "settings": wrapper} {
		began := time.Now()
		wantRefused(t, n, run, "was not read within 10s: the file system that it is on does not answer")
		if took := time.Since(began); took < policy.Patience {
			t.Errorf("%s: refused after %v, before the file system could answer", what, took)
		}
	}
	_ = hang.Process.Kill()
	_ = hang.Wait()
	if out, err := n.Command("umount", "/etc/batten").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wantStarted(t, n, ours)
	wantStarted(t, n, wrapper)
}

// TestNoInodes: where records cannot be made nothing starts.
func TestNoInodes(t *testing.T) {
	n := node.Start(t, engine)
	wantStarted(t, n, node.Run{Runtime: node.Batten})
	for _, mount := range []string{"nr_inodes=1", "size=4k", "ro"} {
		if out, err := n.Command("sh", "-c", "mount -t tmpfs -o size=4k tmpfs /run/batten && echo >/run/batten/x; mount -o remount,"+mount+" /run/batten || true").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		wantRefused(t, n, node.Run{Runtime: node.Batten}, "its record cannot be written: ")
		if out, err := n.Command("umount", "/run/batten").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		wantStarted(t, n, node.Run{Runtime: node.Batten})
	}
}

// TestLimits: a shim that may have too few processes or too little memory starts
// the container filtered, or fails; then another one starts.
func TestLimits(t *testing.T) {
	n := node.Start(t, engine)
	for _, limit := range []struct{ file, value string }{
		{file: "pids.max", value: "6"}, {file: "pids.max", value: "12"}, {file: "memory.limit_in_bytes", value: "3000000"}, {file: "memory.limit_in_bytes", value: "9000000"},
	} {
		group := "/" + filepath.Base(n.Dir) + "/shims"
		made := node.MakeCgroup(t, group)
		for _, dir := range made {
			if file := filepath.Join(dir, limit.file); node.Exists(file) {
				if err := os.WriteFile(file, []byte(limit.value), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		c, err := n.Start(node.Run{Runtime: node.Batten, Options: &options.Options{ShimCgroup: group}})
		t.Logf("%s of %s: %v", limit.file, limit.value, err)
		checkFiltered(t, n, limit.file)
		c.Remove()
		checkFiles(t, n, limit.file)
		wantStarted(t, n, node.Run{Runtime: node.Batten})
		n.Eventually(10*time.Second, "the shim to leave its cgroup", func() (last error) {
			for _, dir := range made {
				if err := os.Remove(dir); err != nil && !os.IsNotExist(err) {
					last = err
				}
			}
			return last
		})
	}
}
