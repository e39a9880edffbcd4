package node

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
)

// Image is the image that tests run: busybox and /probe.
const Image = "batten.test/probe:1"

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
	if !exists(path) {
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
	dir := filepath.Join(cache(), "image")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	probe := filepath.Join(dir, "probe")
	source := filepath.Join(Root(), "integration/probe/probe.c")
	if out, err := exec.Command("gcc", "-static", "-O2", "-o", probe, source).CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	layer, err := layer(map[string]string{"bin/busybox": busybox(), "probe": probe})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "layer.tar"), layer, 0o644); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "image.tar")
	return path, os.WriteFile(path, archive(layer), 0o644)
}

// layer is a tar of files, and of the links by which busybox has its names.
func layer(files map[string]string) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range []string{"bin/", "tmp/", "proc/", "sys/", "dev/", "etc/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755}); err != nil {
			return nil, err
		}
	}
	for name, source := range files {
		data, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(data))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(data); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"sh", "sleep", "cat", "true", "ls", "grep", "unshare", "mkdir", "chmod"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox"}); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), w.Close()
}

// archive is an OCI image layout of one layer, as a tar.
func archive(layer []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	put := func(name string, data []byte) {
		_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data))})
		_, _ = w.Write(data)
	}
	blob := func(mediaType string, data []byte) map[string]any {
		put("blobs/sha256/"+hash(data), data)
		return map[string]any{"mediaType": mediaType, "digest": "sha256:" + hash(data), "size": len(data)}
	}
	object := func(v any) []byte { data, _ := json.Marshal(v); return data }
	layerDescriptor := blob("application/vnd.oci.image.layer.v1.tar", layer)
	config := blob("application/vnd.oci.image.config.v1+json", object(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Cmd": []string{"/probe", "pause"}, "Env": []string{"PATH=/bin"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hash(layer)}},
	}))
	manifest := blob("application/vnd.oci.image.manifest.v1+json", object(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": config, "layers": []any{layerDescriptor},
	}))
	manifest["annotations"] = map[string]string{"io.containerd.image.name": Image}
	put("index.json", object(map[string]any{"schemaVersion": 2, "manifests": []any{manifest}}))
	put("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	_ = w.Close()
	return b.Bytes()
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
