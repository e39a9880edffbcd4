package install

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Names are found as containerd finds their shims: the first on PATH counts, links lead
// to where they lead in the containerd's root directory.
func TestOtherRuntimes(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{
		"usr/bin/containerd-shim-runc-v2", "usr/bin/containerd-shim-kata-v2", "usr/bin/containerd-shim",
		"usr/bin/containerd-shim-batten-v2", "opt/containerd-shim-runc-v1",
	} {
		write0(t, filepath.Join(root, file), "")
	}
	for link, target := range map[string]string{
		"shims/containerd-shim-runc-v2": "/usr/bin/containerd-shim-batten-v2", // of this root
		"shims/containerd-shim-runc-v1": "../usr/bin/containerd-shim-batten-v2",
		"evil/containerd-shim-runc-v2":  "/opt/containerd-shim-runc-v1",
		"loop/containerd-shim-loop-v2":  "containerd-shim-loop-v2",
	} {
		path := filepath.Join(root, link)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		path   string
		want   []string
		serves bool // Batten's shim is the one of io.containerd.runc.v2
	}{
		{path: "/usr/bin", want: []string{"io.containerd.kata.v2", "io.containerd.runc.v2"}},
		{path: "/shims:/usr/bin:/opt", want: []string{"io.containerd.kata.v2"}, serves: true},
		{path: "/usr/bin:/shims", want: []string{"io.containerd.kata.v2", "io.containerd.runc.v2"}},
		{path: "/evil:/shims", want: []string{"io.containerd.runc.v2"}},
		{path: "/loop", want: []string{"io.containerd.loop.v2"}},
		{path: "/nowhere", want: nil},
		{path: "", want: nil},
	} {
		if got := OtherRuntimes(root, tt.path); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.path, got, tt.want)
		}
		if got := ServesRunc(root, tt.path); got != tt.serves {
			t.Errorf("%s: serves runc: %v, want %v", tt.path, got, tt.serves)
		}
	}
}

// A link is put in place, left alone by a second time, and taken out again; a file of
// somebody else's in its place is refused.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "shims/containerd-shim-runc-v2")
	if err := put(kindLink, link, []byte("/usr/local/bin/containerd-shim-batten-v2")); err != nil {
		t.Fatal(err)
	}
	if target, err := get(kindLink, link); string(target) != "/usr/local/bin/containerd-shim-batten-v2" || err != nil {
		t.Errorf("the link leads to %q (%v)", target, err)
	}
	if err := put(kindLink, link, nil); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	write0(t, link, "a program")
	if _, err := get(kindLink, link); err == nil || err.Error() != link+" is not a symbolic link; remove it" {
		t.Errorf("a program in its place: %v", err)
	}
}
