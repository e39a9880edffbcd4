package atomicfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/internal/testneeds"
)

func ExampleWrite() {
	dir, err := os.MkdirTemp("", "files")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "a", "b")
	err = atomicfile.Write(path, []byte("whole"))
	data, _ := os.ReadFile(path)
	fmt.Println(string(data), err)
	// Output:
	// whole <nil>
}

// Replace keeps the mode, and leaves nothing beside the file, also where it fails.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	old, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Replace(path, []byte("new"), old); err != nil {
		t.Fatal(err)
	}
	if now, err := os.Lstat(path); err != nil || now.Mode() != old.Mode() {
		t.Errorf("mode %v, want %v (%v)", now.Mode(), old.Mode(), err)
	}
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Replace(filepath.Join(dir, "d"), nil, old); err == nil {
		t.Error("a directory was replaced")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left: %v", entries)
	}
}

// ReadRoots reads what Write has written, and nothing that others could have.
func TestReadRoots(t *testing.T) {
	testneeds.Root(t, "files of another owner")
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path string
		spoil      func() error
		want       string
	}{
		{name: "as written", path: path, spoil: func() error { return nil }},
		{
			name: "others may write", path: path, spoil: func() error { return os.Chmod(path, 0o602) },
			want: "somebody other than root can write the file",
		},
		{
			name: "the group may write", path: path, spoil: func() error { return os.Chmod(path, 0o620) },
			want: "somebody other than root can write the file",
		},
		{
			name: "another owner", path: path, spoil: func() error { return os.Chown(path, 1, 0) },
			want: "somebody other than root can write the file",
		},
		{
			name: "a symbolic link", path: link, spoil: func() error { return nil },
			want: "somebody other than root can write the file",
		},
		{name: "no file", path: path, spoil: func() error { return os.Remove(path) }, want: "no such file or directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_ = os.Remove(path)
			if err := atomicfile.Write(path, []byte("text")); err != nil {
				t.Fatal(err)
			}
			if err := tt.spoil(); err != nil {
				t.Fatal(err)
			}
			data, err := atomicfile.ReadRoots(tt.path)
			if got := fmt.Sprint(err); tt.want != "" && got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.want == "" && (err != nil || string(data) != "text") {
				t.Errorf("got %q, %v", data, err)
			}
		})
	}
}

// RemoveUnfinished removes what a killed writer has left of one file, and no other file.
func TestRemoveUnfinished(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := atomicfile.Write(path, nil); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, atomicfile.Unfinished(path)+"123")
	other := filepath.Join(dir, atomicfile.Unfinished(filepath.Join(dir, "g"))+"123")
	for _, name := range []string{left, other} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	atomicfile.RemoveUnfinished(path)
	if _, err := os.Lstat(left); err == nil {
		t.Error("the unfinished file is still there")
	}
	for _, name := range []string{path, other} {
		if _, err := os.Lstat(name); err != nil {
			t.Error(err)
		}
	}
}
