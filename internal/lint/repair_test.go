package lint

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/policy/document"
)

// TestRepair: the file is changed where it is, with its mode and its owner.
func TestRepair(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("a: b\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	owner := os.Getuid()
	if owner == 0 {
		owner = 1234
		if err := os.Chown(file, owner, 1234); err != nil {
			t.Fatal(err)
		}
	}
	finding := manifest.Finding{Finding: document.Finding{File: link}, Edits: []manifest.Edit{{Line: 1, Column: 4, Old: "b", New: "c"}}}
	if repaired, err := Repair([]string{link}, []manifest.Finding{finding}); err != nil || len(repaired) != 1 {
		t.Fatalf("%v (%v)", repaired, err)
	}
	info, err := os.Lstat(file)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "a: c\n" {
		t.Errorf("%q (%v)", data, err)
	}
	if info.Mode() != 0o640 || int(info.Sys().(*syscall.Stat_t).Uid) != owner {
		t.Errorf("%v, owner %d, want %d", info.Mode(), info.Sys().(*syscall.Stat_t).Uid, owner)
	}
	if to, err := os.Readlink(link); err != nil || to != "file" {
		t.Errorf("the link leads to %q (%v)", to, err)
	}
	want := link + `: 1:4: is no longer "b"`
	if _, err := Repair([]string{link}, []manifest.Finding{finding}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// An error names the file, and not the temporary one beside it.
func TestRepairCannotWrite(t *testing.T) {
	testneeds.Root(t, "to become another user")
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("a: b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		_, err := Repair([]string{file}, []manifest.Finding{{Finding: document.Finding{File: file}, Edits: []manifest.Edit{{Line: 1, Column: 4, Old: "b", New: "c"}}}})
		if want := file + ": cannot be written in its directory: permission denied"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}
