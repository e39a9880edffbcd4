package lint

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
	"golang.org/x/sys/unix"
)

// TestLookWithoutRoot: what only root can read is unknown and said so, and an error where it
// was asked for by name.
func TestLookWithoutRoot(t *testing.T) {
	testneeds.Root(t, "to become another user")
	t.Setenv("PATH", "")
	dir := t.TempDir()
	open, locked := filepath.Join(dir, "open"), filepath.Join(dir, "locked")
	for path, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, open: 0o755, locked: 0o700} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(open, "profile.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	noProfiles := "the kubelet's profiles are unknown, only root can read " + locked + "/seccomp"
	noHandlers := "the node's handlers are unknown, only root can read " + locked + "/config.toml"
	for _, tt := range []struct {
		name  string
		node  Node
		files []string
		notes []string
		fails bool
	}{
		{name: "both can be read", node: Node{SeccompRoot: open, Containerd: open + "/config.toml"}, files: []string{"profile.json"}},
		{name: "no profiles", node: Node{SeccompRoot: locked + "/seccomp", Containerd: open + "/config.toml"}, notes: []string{noProfiles}},
		{name: "nothing", node: Node{SeccompRoot: locked + "/seccomp", Containerd: locked + "/config.toml"}, notes: []string{noProfiles, noHandlers}},
		{name: "handlers are given", node: Node{SeccompRoot: open, Containerd: locked + "/config.toml", Handlers: []string{"runc"}}, files: []string{"profile.json"}},
		{name: "profiles by name", node: Node{SeccompRoot: locked + "/seccomp", SeccompRequired: true, Containerd: open + "/config.toml"}, fails: true},
	} {
		asNobody(t, func() {
			env, notes, err := tt.node.Look()
			if (err != nil) != tt.fails || !slices.Equal(env.SeccompFiles, tt.files) || !slices.Equal(notes, tt.notes) {
				t.Errorf("%s: files %q, notes %q (%v)", tt.name, env.SeccompFiles, notes, err)
			}
		})
	}
}

// asNobody calls f with the rights of another user on files.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Setfsuid(0) }()
	f()
}
