package status

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/procfs"
)

// BuildKit starts the runc that is first on dockerd's PATH, or what a dockerd that knows the
// variable is told.
func TestBuilder(t *testing.T) {
	knows := strings.Repeat("x", 1<<20-10) + buildkitCommand // across two reads
	for _, tt := range []struct {
		name, path, told, dockerd, want string
		batten                          bool
	}{
		{name: "stock", path: "/usr/bin", dockerd: knows, want: "/usr/bin/runc"},
		{name: "in front", path: "/builds:/usr/bin", want: "/builds/runc", batten: true},
		{name: "behind", path: "/usr/bin:/builds", want: "/usr/bin/runc"},
		{name: "told", path: "/usr/bin", told: "batten-runc", dockerd: knows, want: "/usr/bin/batten-runc", batten: true},
		{name: "told by path", path: "/usr/bin", told: "/usr/bin/batten-runc", dockerd: knows, want: "/usr/bin/batten-runc", batten: true},
		{name: "told, and too old", path: "/usr/bin", told: "batten-runc", dockerd: "20.10", want: "/usr/bin/runc"},
		{name: "told another", path: "/builds:/usr/bin", told: "/usr/bin/runc", dockerd: knows, want: "/usr/bin/runc"},
		{name: "told what is not there", path: "/builds", told: "batten-runc", dockerd: knows},
	} {
		t.Run(tt.name, func(t *testing.T) {
			proc := t.TempDir()
			dir := filepath.Join(proc, "7")
			for _, name := range []string{"root/usr/bin/runc", "root/usr/bin/batten-runc", "root/builds/x"} {
				writeText(t, filepath.Join(dir, name), "")
				if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink("/usr/bin/batten-runc", filepath.Join(dir, "root/builds/runc")); err != nil {
				t.Fatal(err)
			}
			writeText(t, filepath.Join(dir, "exe"), tt.dockerd)
			writeText(t, filepath.Join(dir, "environ"), "PATH="+tt.path+"\x00"+buildkitCommand+"="+tt.told+"\x00")
			got := builder(proc, procfs.Process{Pid: 7})
			if want := (Builder{Engine: "docker", By: tt.want, Batten: tt.batten}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
