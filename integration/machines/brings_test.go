package machines

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/deploy/image"
	"github.com/batten-runtime/batten/integration/node"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// debianPackage builds the package of a version as make dist does, and returns its path.
func debianPackage(t *testing.T, goarch, version string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(filepath.Join(node.Root(), "tools", "dist", "build.sh"), "v"+version, dir)
	cmd.Env = append(os.Environ(), "ARCHES="+goarch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the package: %v\n%s", err, out)
	}
	return filepath.Join(dir, "batten_"+version+"_"+goarch+".deb")
}

// unpackaged returns the package's programs.
func unpackaged(t *testing.T, goarch string) map[string][]byte {
	t.Helper()
	dir, files := t.TempDir(), make(map[string][]byte)
	if out, err := exec.Command("dpkg-deb", "-x", debianPackage(t, goarch, "0.0.1"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, path := range []string{"usr/sbin/batten", "usr/bin/batten-runc", "usr/bin/containerd-shim-batten-v2"} {
		files[filepath.Base(path)] = read(t, filepath.Join(dir, path))
	}
	return files
}

// program builds one of this package's programs.
func program(t *testing.T, goarch, dir string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, dir)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+goarch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return read(t, path)
}

// engines are the folders with Debian's busybox, by the machine.
var engines = map[string]string{"amd64": "debian", "arm64": "machine-debian-12-arm64"}

// busybox returns an image whose program is busybox, with more programs in /bin.
func busybox(t *testing.T, goarch, name string, more map[string][]byte, args ...string) []byte {
	t.Helper()
	files := []image.File{
		{Name: "bin"},
		{Name: "proc"},
		{Name: "sys"},
		{Name: "dev"},
		{Name: "etc"},
		{Name: "tmp"},
		{Name: "bin/busybox", Source: filepath.Join(node.Cache(), engines[goarch], "bin", "busybox")},
	}
	for name, data := range more {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o755); err != nil {
			t.Fatal(err)
		}
		files = append(files, image.File{Name: "bin/" + name, Source: path})
	}
	archive, err := image.ArchiveFor(goarch, name, v1.ImageConfig{Entrypoint: []string{"/bin/busybox"}, Cmd: args}, files)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}
