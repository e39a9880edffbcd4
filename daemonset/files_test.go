package daemonset

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/shim/enforce"
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
	a = &Agent{Log: log, root: t.TempDir()}
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

const noKeys = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}`

// TestSyncPolicy: what passes the check comes to the host, profiles and all; what
// does not stays away, and the last good policy is as it was.
func TestSyncPolicy(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("policies are root's, and the test is not")
	}
	a, dir, log := agent(t)
	etc := filepath.Join(a.root, policyDir)
	for i, step := range []struct {
		files   map[string]string
		refused string
		want    []string // on the host
		text    string   // of policy.yaml there
	}{
		{map[string]string{"policy.yaml": "version: 1\nabsent: RuntimeDfault\n"}, `/etc/batten/policy.yaml`, nil, ""},
		{map[string]string{"policy.yaml": "version: 1\n"}, "", []string{"policy.yaml"}, "version: 1\n"},
		{map[string]string{"policy.yaml": "version: 1\nprofiles: {x: {file: x.json}}\nabsent: x\n"}, "x.json", []string{"policy.yaml"}, "version: 1\n"},
		{map[string]string{"policy.yaml": "version: 1\nprofiles: {x: {file: x.json}}\nabsent: x\n", "x.json": noKeys}, "", []string{"policy.yaml", "x.json"}, "version: 1\nprofiles: {x: {file: x.json}}\nabsent: x\n"},
		{map[string]string{}, "policy.yaml", []string{"policy.yaml", "x.json"}, "version: 1\nprofiles: {x: {file: x.json}}\nabsent: x\n"},
		{map[string]string{"policy.yaml": "version: 1\n"}, "", []string{"policy.yaml"}, "version: 1\n"},
	} {
		mount(t, dir, fmt.Sprint(i), step.files)
		log.Reset()
		err := a.policy()
		if step.refused == "" && err != nil || step.refused != "" && (err == nil || !strings.Contains(err.Error(), step.refused)) {
			t.Errorf("step %d: %v, want %q", i, err, step.refused)
		}
		if step.refused != "" && !strings.Contains(log.String(), "the policy is refused, the last good one holds: ") {
			t.Errorf("step %d: the log says %q", i, log)
		}
		var names []string
		entries, _ := os.ReadDir(etc)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if fmt.Sprint(names) != fmt.Sprint(step.want) {
			t.Errorf("step %d: the host has %q, want %q", i, names, step.want)
		}
		if text, _ := os.ReadFile(filepath.Join(etc, "policy.yaml")); string(text) != step.text {
			t.Errorf("step %d: the host's policy is\n%s", i, text)
		}
		log.Reset()
		if again := a.policy(); fmt.Sprint(again) != fmt.Sprint(err) || log.Len() > 0 {
			t.Errorf("step %d, again: %v, and it says %q", i, again, log)
		}
	}
}

// TestFirstPolicy: without any policy the host is not made ready; with one that was
// good before, it is.
func TestFirstPolicy(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("policies are root's, and the test is not")
	}
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
	if os.Geteuid() != 0 {
		t.Skip("policies are root's, and the test is not")
	}
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
	records := enforce.Records{Dir: a.host(enforce.DefaultRecords)}
	if err := records.Write(&enforce.Record{ContainerdNamespace: "k8s.io", ID: "x", Bundle: "/"}); err != nil {
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
	for path, stays := range map[string]bool{shim: false, a.host(policyDir + "/policy.yaml"): false, theirs: true} {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v", path, err)
		}
	}
}
