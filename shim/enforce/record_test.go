package enforce

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Removing a record removes what a write left that was killed before its rename,
// and nothing of another container's.
func TestRemoveUnfinished(t *testing.T) {
	records := Records{Dir: t.TempDir()}
	for _, id := range []string{"web", "web-1"} {
		rec := &Record{ID: id, ContainerdNamespace: "test"}
		if err := records.Write(rec); err != nil {
			t.Fatal(err)
		}
		path, err := records.path(rec.Owner(), id)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.CreateTemp(filepath.Dir(path), unfinished(path)+"*")
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
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
	if got := names(); strings.Count(got, " ") != 1 || !strings.Contains(got, "web-1.json") || !strings.Contains(got, unfinished("web-1.json")) {
		t.Errorf("left: %s", got)
	}
	if err := records.Remove("test", "web-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(records.Dir, "test")); err == nil {
		t.Errorf("the directory is still there: %s", names())
	}
}
