package enforce_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/spec"
)

func requestOf(t *testing.T, policyText, bundle, config string) policy.Request {
	t.Helper()
	s, err := spec.Parse([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	p, findings := policy.Parse("p.yaml", []byte(policyText), nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return enforce.Request(p, enforce.Source{Runtime: "r", Bundle: bundle}, s)
}

// What a container shares with the node is what its spec leaves out, and what it
// joins by a path that leads there.
func TestRequestNamespaces(t *testing.T) {
	const asks = "version: 1\nrules: [{name: r, match: {namespaces: [host-pid]}, absent: Deny}]"
	full := func(pid string) string {
		return `{"linux": {"namespaces": [{"type": "ipc"}, {"type": "mount"}, {"type": "network"}, {"type": "user"}, {"type": "uts"}` + pid + `]}}`
	}
	link := filepath.Join(t.TempDir(), "ns")
	if err := os.Symlink("/proc/self/ns/pid", link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, config, want, unseen string }{
		{name: "all its own", config: full(`, {"type": "pid"}`), want: "[]"},
		{name: "no entry", config: full(""), want: "[host-pid]"},
		{name: "the node's by its path", config: full(`, {"type": "pid", "path": "/proc/self/ns/pid"}`), want: "[host-pid]"},
		{name: "the first process's", config: full(`, {"type": "pid", "path": "/proc/1/ns/pid"}`), want: "[host-pid]"},
		{name: "by a process of the node's", config: full(fmt.Sprintf(`, {"type": "pid", "path": "/proc/%d/ns/pid"}`, os.Getppid())), want: "[host-pid]"},
		{name: "by a link", config: full(`, {"type": "pid", "path": "` + link + `"}`), want: "[host-pid]"},
		{name: "twice, one the node's", config: full(`, {"type": "pid"}, {"type": "pid", "path": "/proc/self/ns/pid"}`), want: "[host-pid]"},
		{name: "another's", config: full(`, {"type": "pid", "path": "/proc/self/ns/uts"}`), want: "[]"},
		{name: "a path that is gone", config: full(`, {"type": "pid", "path": "/proc/0/ns/pid"}`), want: "[]", unseen: "which pid namespace it joins: stat /proc/0/ns/pid: no such file or directory"},
		{name: "no linux at all", config: `{}`, want: "[host-ipc host-mount host-network host-pid host-user host-uts]"},
	} {
		if _, err := os.Stat("/proc/1/ns/pid"); err != nil && strings.Contains(tt.config, "/proc/1/") {
			continue // pid 1 has capabilities that this process lacks
		}
		r := requestOf(t, asks, "", tt.config)
		if got := fmt.Sprint(r.Namespaces); got != tt.want || r.Unseen != tt.unseen {
			t.Errorf("%s: got %s, %q; want %s, %q", tt.name, got, r.Unseen, tt.want, tt.unseen)
		}
	}
	if r := requestOf(t, "version: 1", "", `{"linux": {"namespaces": [{"type": "pid", "path": "/proc/0/ns/pid"}]}}`); r.Unseen != "" {
		t.Errorf("without a rule that asks: %s", r.Unseen)
	}
}

// Mounts count by what they show, whatever they are called.
func TestRequestMounts(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"etc/batten", "bundle", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link": "etc/batten", "up": "etc", "run": "etc"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	bind := func(source string) string {
		return `{"mounts": [{"type": "bind", "source": "` + source + `", "options": ["rbind", "ro"]}], "root": {"path": "rootfs"}}`
	}
	for _, tt := range []struct {
		name, config, pattern string
		want                  bool
	}{
		{name: "itself", config: bind(dir + "/etc/batten"), want: true},
		{name: "beside it", config: bind(dir + "/other")},
		{name: "above it", config: bind(dir + "/etc"), want: true},
		{name: "a link to it", config: bind(dir + "/link"), want: true},
		{name: "a link to what is above", config: bind(dir + "/up"), want: true},
		{name: "relative to the bundle", config: bind("../etc"), want: true},
		{name: "a missing source", config: bind(dir + "/missing")},
		{name: "the root directory", config: `{"root": {"path": "/"}}`, want: true},
		{name: "the root directory, relative", config: `{"root": {"path": "../etc"}}`, want: true},
		{name: "an overlay of it", config: `{"mounts": [{"type": "overlay", "source": "overlay", "options": ["lowerdir=/x:` + dir + `/etc"]}]}`, want: true},
		{name: "a pattern that is a link", pattern: dir + "/run/batten", config: bind(dir + "/etc/batten"), want: true},
		{name: "above a pattern that is a link", pattern: dir + "/run/batten", config: bind(dir + "/etc"), want: true},
		{name: "beside a pattern that is a link", pattern: dir + "/run/batten", config: bind(dir + "/other")},
	} {
		pattern := tt.pattern
		if pattern == "" {
			pattern = dir + "/etc/batten"
		}
		text := "version: 1\nrules: [{name: r, match: {mounts: [" + pattern + "]}, absent: Deny}]"
		r := requestOf(t, text, filepath.Join(dir, "bundle"), tt.config)
		p, _ := policy.Parse("p.yaml", []byte(text), nil)
		if got := p.Decide(r).Rule == "r"; got != tt.want || r.Unseen != "" {
			t.Errorf("%s: %v (%q, %q)", tt.name, got, r.Mounts, r.Unseen)
		}
	}
}

// The record has hooks where the policy says so, and cut where they are long.
func TestRecordOfHooks(t *testing.T) {
	long := strings.Repeat("é", 400)
	hooks := `{"hooks": {"createRuntime": [{"path": "/bin/a", "args": ["a", "` + long + `"], "env": ["SECRET=1"]}]}, "process": {}, "linux": {}}`
	for _, tt := range []struct {
		policy string
		want   int
	}{{policy: "version: 1"}, {policy: "version: 1\nhooks: Keep"}, {policy: "version: 1\nhooks: Record", want: 1}, {policy: "version: 1\nhooks: Deny\nmode: Audit", want: 1}} {
		e := enforcer(t, tt.policy)
		if _, err := e.Prepare(container(bundle(t, hooks))); err != nil {
			t.Fatal(err)
		}
		rec, err := e.Records.Read("default", "c1")
		if err != nil || len(rec.Hooks) != tt.want {
			t.Errorf("%s: %+v (%v)", tt.policy, rec.Hooks, err)
		}
		if len(rec.Hooks) > 0 && (rec.Hooks[0].Kind != "createRuntime" || rec.Hooks[0].Path != "/bin/a" || rec.Hooks[0].Args[1] != strings.Repeat("é", 256)+"…") {
			t.Errorf("%s: %+v", tt.policy, rec.Hooks[0])
		}
		if would := slices.ContainsFunc(rec.Notes, func(n string) bool {
			return strings.HasPrefix(n, "would be refused: it brings the hook createRuntime /bin/a")
		}); would != strings.Contains(tt.policy, "Deny") {
			t.Errorf("%s: notes %q", tt.policy, rec.Notes)
		}
	}
	dir := bundle(t, hooks)
	_, err := enforcer(t, "version: 1\nhooks: Deny").Prepare(container(dir))
	checkRefusal(t, err, `batten: container refused: it brings the hook createRuntime /bin/a, and the policy's top level says hooks: Deny (policy "/etc/p.yaml"); leave the hooks out (engines take them from hooks.d, CDI and the container's own spec), or have the node's policy say hooks: Record for it`)
}
