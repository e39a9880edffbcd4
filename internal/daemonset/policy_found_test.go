package daemonset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
)

// TestNodesOwnPolicy: a policy that the node had before the DaemonSet came holds.
func TestNodesOwnPolicy(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	for _, tt := range []struct {
		name string
		put  func(a *Agent) error
	}{
		{name: "a file", put: func(a *Agent) error {
			return os.WriteFile(a.host(policyPath), []byte("version: 1\nabsent: Deny\n"), 0o644)
		}},
		{name: "a link elsewhere", put: func(a *Agent) error {
			if err := os.WriteFile(a.host("/etc/own.yaml"), []byte("version: 1\nabsent: Deny\n"), 0o644); err != nil {
				return err
			}
			return os.Symlink("../own.yaml", a.host(policyPath))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, dir, _ := agent(t)
			if err := os.MkdirAll(a.host(policyDir), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := tt.put(a); err != nil {
				t.Fatal(err)
			}
			mount(t, dir, "1", map[string]string{"policy.yaml": "version: 1\n"})
			const want = "/etc/batten/policy.yaml is the node's own and holds; the ConfigMap's policy is not put in its place: remove the file, or keep the DaemonSet off this node"
			if err := a.policy(t.Context()); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if err := a.removePolicy(); err != nil {
				t.Error(err)
			}
			if text, _ := holds(t, a); text != "version: 1\nabsent: Deny\n" {
				t.Errorf("the host's policy is\n%s", text)
			}
			if err := os.Remove(a.host(policyPath)); err != nil {
				t.Fatal(err)
			}
			if err := a.policy(t.Context()); err != nil {
				t.Errorf("without it: %v", err)
			}
		})
	}
}

// TestFromEarlierVersion: what earlier versions wrote beside the node's own files is
// replaced by the link, or removed; there is a policy at each moment.
func TestFromEarlierVersion(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	a, dir, log := agent(t)
	for path, text := range map[string]string{
		policyPath: withKeys, policyDir + "/x.json": noKeys, policyDir + "/runc.toml": "by a ConfigMap",
		policyDir + "/own.toml": "the node's own", list: `["policy.yaml", "x.json", "runc.toml", "../passwd", ".", "configmap"]`,
		"/etc/passwd": "root",
	} {
		if err := os.MkdirAll(filepath.Dir(a.host(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(a.host(path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mount(t, dir, "1", map[string]string{"policy.yaml": "version: 1\nabsent: RuntimeDfault\n"})
	if err := a.policy(t.Context()); err == nil {
		t.Error("a broken policy is taken")
	}
	if text, names := holds(t, a); text != withKeys || len(names) != 4 {
		t.Errorf("before a good policy the host has %q and\n%s", names, text)
	}
	mount(t, dir, "2", map[string]string{"policy.yaml": withKeys, "x.json": noKeys})
	if err := a.policy(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, names := holds(t, a)
	if text != withKeys || fmt.Sprint(names) != "[configmap own.toml policy.yaml]" {
		t.Errorf("the host has %q and\n%s", names, text)
	}
	if !strings.Contains(log.String(), "/etc/batten/runc.toml is removed: an earlier version of the DaemonSet wrote it") {
		t.Errorf("the log says %s", log)
	}
	for path, stays := range map[string]bool{"/etc/passwd": true, list: false} {
		if _, err := os.Lstat(a.host(path)); (err == nil) != stays {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestRestartedAgent: a new pod leaves what is in place as it is, and removes what
// one that was killed had begun.
func TestRestartedAgent(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	a, dir, log := agent(t)
	mount(t, dir, "1", map[string]string{"policy.yaml": withKeys, "x.json": noKeys})
	if err := a.policy(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Readlink(a.host(policyPath))
	for _, name := range []string{"half-1", "half-2"} {
		if err := os.Mkdir(a.host(filepath.Join(ownDir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	log.Reset()
	next := &Agent{Log: log, root: a.root, Policy: a.Policy}
	if err := next.policy(t.Context()); err != nil || log.Len() > 0 {
		t.Errorf("%v, and it says %q", err, log)
	}
	if after, _ := os.Readlink(a.host(policyPath)); after != before {
		t.Errorf("the link led to %s, and leads to %s", before, after)
	}
	if entries, _ := os.ReadDir(a.host(ownDir)); len(entries) != 2 {
		t.Errorf("left: %v", entries)
	}
	// A file of the policy that somebody changed on the host is put right.
	if err := os.WriteFile(filepath.Join(next.linked(), "x.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	again := &Agent{Log: log, root: a.root, Policy: a.Policy}
	if err := again.policy(t.Context()); err != nil || again.Check(a.root) != nil {
		t.Error(err)
	}
}
