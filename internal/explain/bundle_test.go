package explain_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/explain"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/spec"
)

// The path of a bundle says whose it is, and a record says more.
func TestLookAt(t *testing.T) {
	records := record.Store{Dir: t.TempDir()}
	for _, rec := range []record.Record{
		{ContainerdNamespace: "moby", ID: "ours", Bundle: "/run/x/io.containerd.runtime.v2.task/moby/ours", Runtime: "batten-runc", OCIRuntime: "runc"},
		{ContainerdNamespace: "moby", ID: "other", Bundle: "/elsewhere/other", Runtime: "batten-runc", OCIRuntime: "runc"},
	} {
		if err := records.Write(&rec); err != nil {
			t.Fatal(err)
		}
	}
	for bundle, want := range map[string]explain.Bundle{
		"/run/x/io.containerd.runtime.v2.task/k8s.io/abc":           {Known: true, ContainerdNamespace: "k8s.io", Runtime: "io.containerd.batten.v2"},
		"/run/x/io.containerd.runtime.v2.task/moby/ours/":           {Known: true, ContainerdNamespace: "moby", Runtime: "batten-runc"},
		"/run/x/io.containerd.runtime.v2.task/moby/other":           {Known: true, ContainerdNamespace: "moby", Runtime: "io.containerd.batten.v2"},
		"/var/lib/containers/storage/overlay-containers/a/userdata": {Known: true, Runtime: "batten-runc"},
		"/home/u/bundle":   {},
		"/home/u/userdata": {},
		"/":                {},
	} {
		got := explain.LookAt(bundle, records.Dir)
		if recorded := strings.Contains(bundle, "/ours"); (got.Record != nil) != recorded {
			t.Errorf("%s: record %v", bundle, got.Record)
		}
		if got.Record = nil; got != want {
			t.Errorf("%s: %+v, want %+v", bundle, got, want)
		}
	}
}

// What a container asked for is not what Batten has put into its config.json.
func TestAsked(t *testing.T) {
	own := profile.RuntimeDefault(nil)
	plain, written := profile.Encode(own), profile.Encode(profile.Seal(own))
	for _, tt := range []struct {
		name            string
		seccomp         []byte
		rec             *record.Record
		asked, filtered bool
		note            bool
	}{
		{name: "nothing", seccomp: []byte("null")},
		{name: "its own, never seen by Batten", seccomp: plain, asked: true, filtered: true},
		{name: "put there", seccomp: written, rec: &record.Record{Asked: record.None, Result: enforce.Digest(written)}},
		{name: "kept", seccomp: written, rec: &record.Record{Asked: "sha256:1", Kept: true, Result: enforce.Digest(written)}, asked: true, filtered: true},
		{name: "tightened", seccomp: written, rec: &record.Record{Asked: "sha256:1", Result: enforce.Digest(written)}, filtered: true},
		{name: "changed since", seccomp: plain, rec: &record.Record{Asked: record.None, Result: enforce.Digest(written)}, asked: true, filtered: true},
		{name: "written by Batten, and no record", seccomp: written, asked: true, filtered: true, note: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := spec.Parse([]byte(`{"linux":{"seccomp":` + string(tt.seccomp) + `}}`))
			if err != nil {
				t.Fatal(err)
			}
			asked, filtered, note, err := explain.Bundle{Record: tt.rec}.Asked(s)
			if err != nil || (asked != nil) != tt.asked || filtered != tt.filtered || (note != "") != tt.note {
				t.Errorf("asked %v, filtered %v, %q (%v)", asked != nil, filtered, note, err)
			}
		})
	}
}

// Of a directory the manifests below it count, and of a bundle its config.json.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.yaml", "sub/b.yml", "sub/.git/x.yaml", "sub/B.YML", "sub/c.json", "sub/d.md", "bundle/config.json", "bundle/rootfs/x.yaml"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := explain.Files([]string{"-", filepath.Join(dir, "sub"), filepath.Join(dir, "bundle"), filepath.Join(dir, "none")})
	want := "- sub/B.YML sub/b.yml sub/c.json bundle/config.json none"
	if text := strings.ReplaceAll(strings.Join(got, " "), dir+"/", ""); err != nil || text != want {
		t.Errorf("%s (%v), want %s", text, err, want)
	}
}
