package status

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/procfs"
)

// What users can name is told by the PATH of the containerd that runs.
func TestNameable(t *testing.T) {
	proc := t.TempDir()
	for _, name := range []string{"7/root/usr/bin/containerd-shim-runc-v2", "7/root/usr/bin/containerd-shim-kata-v2"} {
		writeText(t, filepath.Join(proc, name), "")
	}
	if err := os.MkdirAll(filepath.Join(proc, "7/root/etc/batten/shims"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(proc, "7/root/etc/batten/shims/containerd-shim-runc-v2")
	if err := os.Symlink("/usr/local/bin/containerd-shim-batten-v2", link); err != nil {
		t.Fatal(err)
	}
	processes := map[int]procfs.Process{7: {Pid: 7, Name: "containerd"}, 8: {Pid: 8, Name: "sh"}}
	docker, podman := install.Handler{Engine: "docker"}, install.Handler{Engine: "podman"}
	for _, tt := range []struct {
		name, path string
		handlers   []install.Handler
		want       string
	}{
		{
			name: "Docker", path: "/usr/bin", handlers: []install.Handler{docker},
			want: "map[docker:[io.containerd.kata.v2 io.containerd.runc.v2 runc]]",
		},
		{
			name: "Docker, with --all-runtimes", path: "/etc/batten/shims:/usr/bin", handlers: []install.Handler{docker},
			want: "map[docker:[io.containerd.kata.v2]]",
		},
		{name: "Docker, with nothing else", path: "/etc/batten/shims", handlers: []install.Handler{docker}, want: "map[]"},
		{
			name: "Podman", path: "/usr/bin", handlers: []install.Handler{podman},
			want: "map[podman:[any path (--runtime)]]",
		},
		{name: "containerd", path: "/usr/bin", handlers: []install.Handler{{Engine: "containerd"}}, want: "map[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			writeText(t, filepath.Join(proc, "7/environ"), "HOME=/\x00PATH="+tt.path+"\x00")
			got := fmt.Sprint(nameableRuntimes(proc, processes, tt.handlers))
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// With Batten's shim in front of each containerd's PATH, Docker's runc goes through Batten;
// a shim that is named by its type does not.
func TestMarkByPath(t *testing.T) {
	for _, tt := range []struct {
		name  string
		paths []string // of each containerd
		runc  bool
	}{
		{name: "in front", paths: []string{"/shims:/usr/bin"}, runc: true},
		{name: "in front of one", paths: []string{"/shims:/usr/bin", "/usr/bin"}},
		{name: "behind", paths: []string{"/usr/bin:/shims"}},
		{name: "no containerd"},
		{name: "no shim", paths: []string{"/nowhere"}},
		{name: "no PATH", paths: []string{""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			proc, processes := t.TempDir(), map[int]procfs.Process{3: {Pid: 3, Name: "dockerd"}}
			for k, path := range tt.paths {
				dir := filepath.Join(proc, strconv.Itoa(k+7))
				writeText(t, filepath.Join(dir, "root/usr/bin/containerd-shim-runc-v2"), "")
				writeText(t, filepath.Join(dir, "environ"), "PATH="+path)
				if err := os.Mkdir(filepath.Join(dir, "root/shims"), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("/opt/containerd-shim-batten-v2", filepath.Join(dir, "root/shims/containerd-shim-runc-v2")); err != nil {
					t.Fatal(err)
				}
				processes[k+7] = procfs.Process{Pid: k + 7, Name: "containerd"}
			}
			handlers := []install.Handler{
				{Engine: "docker", Name: "runc", By: "io.containerd.runc.v2"},
				{Engine: "docker", Name: "crun", By: "/usr/bin/crun"},
				{Engine: "docker", Name: "kata", By: "io.containerd.kata.v2"},
				{Engine: "podman", Name: "crun", By: "/usr/bin/crun"},
				{Engine: "containerd", Name: "runc", By: "io.containerd.runc.v2"},
				{Engine: "containerd", Name: "kata", By: "io.containerd.runc.v2, /opt/containerd-shim-runc-v2"},
			}
			markByPath(proc, processes, handlers)
			for _, h := range handlers {
				want := tt.runc && h.Engine != "podman" && h.Name != "kata"
				if h.Batten != want {
					t.Errorf("%s %s goes through Batten: %v, want %v", h.Engine, h.Name, h.Batten, want)
				}
			}
		})
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
