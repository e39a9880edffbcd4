package daemonset

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/testneeds"
)

// agent is one whose host is a directory, with a ConfigMap as the kubelet lays it
// out.
func agent(t *testing.T) (a *Agent, configMap string, log *bytes.Buffer) {
	t.Helper()
	log, configMap = new(bytes.Buffer), t.TempDir()
	image := t.TempDir()
	for _, name := range binaries {
		if err := os.WriteFile(filepath.Join(image, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	a = &Agent{Log: log, root: t.TempDir(), Install: install.Options{Bin: Bin}}
	var err error
	if a.Policy, err = os.OpenRoot(configMap); err != nil {
		t.Fatal(err)
	}
	if a.Binaries, err = os.OpenRoot(image); err != nil {
		t.Fatal(err)
	}
	return a, configMap, log
}

// mount puts files where the kubelet does: behind a symlink that it swaps.
func mount(t *testing.T, dir, version string, files map[string]string) {
	t.Helper()
	data := "..version-" + version
	if err := os.Mkdir(filepath.Join(dir, data), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, data, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_ = os.Symlink("..data/"+name, filepath.Join(dir, name))
	}
	if err := os.Symlink(data, filepath.Join(dir, "..new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if _, still := files[e.Name()]; !still && !strings.HasPrefix(e.Name(), "..") {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// TestFirstPolicy: without any policy the host is not made ready; with one that was
// good before, it is.
func TestFirstPolicy(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	a, dir, _ := agent(t)
	mount(t, dir, "1", map[string]string{"policy.yaml": "version: 1\nabsent: RuntimeDfault\n"})
	ctx, cancel := context.WithTimeout(t.Context(), pause+pause/2)
	defer cancel()
	if err := a.firstPolicy(ctx); err == nil || !strings.Contains(err.Error(), "RuntimeDfault") {
		t.Errorf("without a good policy: %v", err)
	}
	mount(t, dir, "2", map[string]string{"policy.yaml": "version: 1\n"})
	if err := a.firstPolicy(t.Context()); err != nil {
		t.Errorf("with a good one: %v", err)
	}
	mount(t, dir, "3", map[string]string{"policy.yaml": "version: 1\nabsent: RuntimeDfault\n"})
	if err := a.firstPolicy(t.Context()); err != nil {
		t.Errorf("with a last good one: %v", err)
	}
}

// TestRemoveFiles: what is the DaemonSet's goes, what is not stays, and all of it
// stays as long as containers need it.
func TestRemoveFiles(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	a, dir, log := agent(t)
	mount(t, dir, "1", map[string]string{"policy.yaml": "version: 1\n"})
	if err := a.copyBinaries(); err != nil {
		t.Fatal(err)
	}
	if err := a.syncPolicy(); err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(a.root, policyDir, "runc.toml")
	if err := os.WriteFile(theirs, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	records := record.Store{Dir: a.host(names.Records)}
	if err := records.Write(&record.Record{ContainerdNamespace: "k8s.io", ID: "x", Bundle: "/"}); err != nil {
		t.Fatal(err)
	}
	shim := a.host(Bin + "/containerd-shim-batten-v2")
	if err := a.removeFiles(); err != nil || !strings.Contains(log.String(), "1 containers run under Batten still") {
		t.Errorf("with a container: %v, %s", err, log)
	}
	if data, err := os.ReadFile(shim); err != nil || string(data) != "containerd-shim-batten-v2" {
		t.Errorf("with a container the shim is %q (%v)", data, err)
	}
	if err := records.Remove("k8s.io", "x"); err != nil {
		t.Fatal(err)
	}
	if err := a.removeFiles(); err != nil {
		t.Fatal(err)
	}
	for path, stays := range map[string]bool{shim: false, a.host(policyPath): false, a.host(ownDir): false, theirs: true} {
		if _, err := os.Lstat(path); (err == nil) != stays {
			t.Errorf("%s: %v", path, err)
		}
	}
}
