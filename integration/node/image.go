package node

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/batten-runtime/batten/deploy/image"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is the image that tests run: busybox and /probe.
const Image = "batten.test/probe:1"

// Probe is the program that containers run, for running it on the node.
func Probe(t T) string {
	t.Helper()
	once(t, "image", buildImage)
	return filepath.Join(Cache(), "image", "probe")
}

// Root is the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "../..")
}

// built runs a build once for all tests of a process.
var built sync.Map

func once(t T, key string, build func() (string, error)) string {
	t.Helper()
	f, _ := built.LoadOrStore(key, sync.OnceValues(build))
	path, err := f.(func() (string, error))()
	if err != nil {
		t.Fatalf("building %s: %v", key, err)
	}
	return path
}

// Shim is the shim under test, which make build puts into bin.
func Shim(t T) string {
	t.Helper()
	path := filepath.Join(Root(), "bin", "containerd-shim-batten-v2")
	if !Exists(path) {
		t.Fatal("bin/containerd-shim-batten-v2 is not built: run make build")
	}
	return path
}

// importImage brings the image into the containerd namespaces that tests use.
func (n *Node) importImage() {
	n.t.Helper()
	archive := once(n.t, "image", buildImage)
	for _, ns := range []string{Namespace, "k8s.io", "moby"} {
		f, err := os.Open(archive)
		if err != nil {
			n.t.Fatal(err)
		}
		ctx := namespaces.WithNamespace(context.Background(), ns)
		images, err := n.Client.Import(ctx, f)
		f.Close()
		if err != nil {
			n.t.Fatalf("importing the test image: %v", err)
		}
		for _, i := range images {
			if err := containerd.NewImage(n.Client, i).Unpack(ctx, ""); err != nil {
				n.t.Fatalf("unpacking the test image: %v", err)
			}
		}
	}
}

// buildImage makes an OCI archive of static binaries, below the user's cache,
// so that tests that are killed leave no litter in /tmp.
func buildImage() (string, error) {
	dir := filepath.Join(Cache(), "image")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	probe := filepath.Join(dir, "probe")
	source := filepath.Join(Root(), "integration/probe")
	build := []string{"-static", "-O2", "-o", probe}
	for _, name := range []string{"probe.c", "tricks.c", "denied.c", "awkward.c"} {
		build = append(build, filepath.Join(source, name))
	}
	if out, err := exec.Command("gcc", build...).CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	files := []image.File{{Name: "bin/busybox", Source: busybox()}, {Name: "probe", Source: probe}}
	for _, dir := range []string{"tmp", "proc", "sys", "dev", "etc"} {
		files = append(files, image.File{Name: dir})
	}
	for _, name := range []string{"sh", "sleep", "cat", "true", "ls", "grep", "unshare", "mkdir", "chmod"} {
		files = append(files, image.File{Name: "bin/" + name, Link: "busybox"})
	}
	layer, err := image.Layer(files)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "layer.tar"), layer, 0o644); err != nil {
		return "", err
	}
	archive, err := image.Archive(Image, v1.ImageConfig{Cmd: []string{"/probe", "pause"}, Env: []string{"PATH=/bin"}}, files)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "image.tar")
	return path, os.WriteFile(path, archive, 0o644)
}
