package image_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/deploy/image"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestArchive: two archives of the same files, given in another order, are the same
// bytes, and each blob has the name of its digest. The integration tests run such
// images.
func TestArchive(t *testing.T) {
	source := filepath.Join(t.TempDir(), "binary")
	if err := os.WriteFile(source, []byte("binary"), 0o755); err != nil {
		t.Fatal(err)
	}
	files := []image.File{{Name: "usr/bin/binary", Source: source}, {Name: "usr/bin/other", Link: "binary"}, {Name: "tmp"}}
	first, err := image.Archive("example.test/x:1", v1.ImageConfig{}, files)
	if err != nil {
		t.Fatal(err)
	}
	files[0], files[2] = files[2], files[0]
	second, err := image.Archive("example.test/x:1", v1.ImageConfig{}, files)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the order of files changes the archive (%v)", err)
	}
	if end := bytes.Repeat([]byte{0}, 1024); !bytes.HasSuffix(first, end) {
		t.Error("the archive has no end, which tar(1) complains of")
	}
	seen := 0
	for r := tar.NewReader(bytes.NewReader(first)); ; seen++ {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if seen != 5 {
		t.Errorf("%d files, want layer, config, manifest, index.json, oci-layout", seen)
	}
	if _, err := image.Archive("x", v1.ImageConfig{}, []image.File{{Name: "x", Source: source + "-not"}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
}

func ExampleArchive() {
	archive, err := image.Archive("example.test/empty:1", v1.ImageConfig{Cmd: []string{"/nothing"}}, []image.File{{Name: "tmp"}})
	fmt.Println(len(archive) > 0, err)
	// Output: true <nil>
}
