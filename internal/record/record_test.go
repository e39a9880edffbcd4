package record

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Removing a record removes what a write or an update left that was killed before its
// rename, and nothing of another container's.
func TestRemoveUnfinished(t *testing.T) {
	records := Store{Dir: t.TempDir()}
	for _, id := range []string{"web", "web-1"} {
		rec := &Record{ID: id, ContainerdNamespace: "test"}
		if err := records.Write(rec); err != nil {
			t.Fatal(err)
		}
		path, err := records.path(rec.Owner(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, killed := range []string{path, path + updating} {
			f, err := os.CreateTemp(filepath.Dir(path), unfinished(killed)+"*")
			if err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
	}
	names := func() string {
		entries, _ := os.ReadDir(filepath.Join(records.Dir, "test"))
		var all []string
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return strings.Join(all, " ")
	}
	if err := records.Remove("test", "web"); err != nil {
		t.Fatal(err)
	}
	if got := names(); strings.Count(got, " ") != 2 || !strings.Contains(got, "web-1.json") || strings.Contains(got, unfinished("web.json")) || strings.Contains(got, unfinished("web.json~")) {
		t.Errorf("left: %s", got)
	}
	if err := records.Remove("test", "web-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(records.Dir, "test")); err == nil {
		t.Errorf("the directory is still there: %s", names())
	}
}

// A record that cannot be put in its place leaves nothing beside it.
func TestWriteThatFails(t *testing.T) {
	records := Store{Dir: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(records.Dir, "test", "web.json", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := records.Write(&Record{ID: "web", ContainerdNamespace: "test"}); err == nil {
		t.Error("a directory was overwritten")
	}
	if entries, _ := os.ReadDir(filepath.Join(records.Dir, "test")); len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
	if err := records.Write(&Record{ID: "web-1", ContainerdNamespace: "test"}); err != nil {
		t.Errorf("beside it: %v", err)
	}
}

// An attestation that comes after the container is forgotten brings no record back.
func TestUpdate(t *testing.T) {
	r := Store{Dir: t.TempDir()}
	rec := &Record{ContainerdNamespace: "a", ID: "c"}
	if err := r.Update(rec); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.Dir, "*")); len(left) > 0 {
		t.Errorf("a forgotten container has %q", left)
	}
	if err := r.Write(rec); err != nil {
		t.Fatal(err)
	}
	rec.Pid = 7
	if err := r.Update(rec); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Read("a", "c"); err != nil || got.Pid != 7 {
		t.Errorf("got %+v (%v)", got, err)
	}
	if entries, _ := os.ReadDir(filepath.Join(r.Dir, "a")); len(entries) != 1 {
		t.Errorf("files: %v", entries)
	}
}

// unfinished begins the names of temporary files, as in internal/atomicfile.
func unfinished(path string) string {
	sum := sha256.Sum256([]byte(filepath.Base(path)))
	return ".new-" + hex.EncodeToString(sum[:8]) + "-"
}

// A record's file does not hold the profile itself, which may be large.
func TestWrittenIsNotStored(t *testing.T) {
	records := Store{Dir: t.TempDir()}
	const profile = `{"defaultAction":"SCMP_ACT_ERRNO"}`
	rec := &Record{ID: "web", ContainerdNamespace: "test", Reason: "it says so", Written: []byte(profile)}
	if err := records.Write(rec); err != nil {
		t.Fatal(err)
	}
	got, err := records.Read("test", "web")
	if err != nil || got.Reason != rec.Reason || got.Written != nil {
		t.Errorf("got reason %q, written %q (%v); want %q and nothing", got.Reason, got.Written, err, rec.Reason)
	}
}

// A shim that is older than ociRuntime has the binary as runtime.
func TestReadOldRuntime(t *testing.T) {
	records := Store{Dir: t.TempDir()}
	for file, want := range map[string][2]string{
		`{"id":"c","runtime":"/usr/bin/runc"}`:                                                    {"io.containerd.batten.v2", "/usr/bin/runc"},
		`{"id":"c","runtime":"/usr/bin/crun","call":{"owner":"test"}}`:                            {"batten-runc", "/usr/bin/crun"},
		`{"id":"c","runtime":"io.containerd.batten.v2","ociRuntime":"runc"}`:                      {"io.containerd.batten.v2", "runc"},
		`{"id":"c","runtime":"batten-runc","ociRuntime":"/usr/bin/runc","call":{"owner":"test"}}`: {"batten-runc", "/usr/bin/runc"},
	} {
		if err := os.MkdirAll(filepath.Join(records.Dir, "test"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(records.Dir, "test", "c.json"), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		rec, err := records.Read("test", "c")
		if err != nil || rec.Runtime != want[0] || rec.OCIRuntime != want[1] {
			t.Errorf("%s: %+v (%v), want %q", file, rec, err, want)
		}
	}
}
