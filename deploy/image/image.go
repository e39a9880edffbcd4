package image

import (
	"archive/tar"
	"bytes"
	_ "crypto/sha256" // go-digest leaves the choice to its users
	"encoding/json"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// File is one file of an image: a copy of Source, or Text, or a symbolic link to Link, or
// without any of them a directory. Name has no slash in front.
type File struct{ Name, Source, Text, Link string }

// Archive is the archive of an image with the name, for this machine's architecture.
func Archive(name string, config v1.ImageConfig, files []File) ([]byte, error) {
	return ArchiveFor(runtime.GOARCH, name, config, files)
}

// ArchiveFor is [Archive] for an architecture in Go's words.
func ArchiveFor(goarch, name string, config v1.ImageConfig, files []File) ([]byte, error) {
	layer, err := Layer(files)
	if err != nil {
		return nil, err
	}
	a := &archive{}
	a.w = tar.NewWriter(&a.b)
	image := v1.Image{
		Platform: v1.Platform{Architecture: goarch, OS: "linux"}, Config: config,
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(layer)}},
	}
	manifest := v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest,
		Layers: []v1.Descriptor{a.blob(v1.MediaTypeImageLayer, layer)},
		Config: a.object(v1.MediaTypeImageConfig, image),
	}
	described := a.object(v1.MediaTypeImageManifest, manifest)
	described.Annotations = map[string]string{"io.containerd.image.name": name, v1.AnnotationRefName: name}
	a.put("index.json", marshal(v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{described}}))
	a.put("oci-layout", marshal(v1.ImageLayout{Version: v1.ImageLayoutVersion}))
	err = a.w.Close() // which ends the archive, so it comes before the bytes
	return a.b.Bytes(), err
}

// archive is a tar in memory, which takes all that is written.
type archive struct {
	b bytes.Buffer
	w *tar.Writer
}

func (a *archive) put(name string, data []byte) {
	_ = a.w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data))})
	_, _ = a.w.Write(data)
}

func (a *archive) blob(mediaType string, data []byte) v1.Descriptor {
	d := digest.FromBytes(data)
	a.put(path.Join("blobs", d.Algorithm().String(), d.Encoded()), data)
	return v1.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
}

func (a *archive) object(mediaType string, v any) v1.Descriptor {
	return a.blob(mediaType, marshal(v))
}

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // types of the image-spec, which can be marshalled
	}
	return data
}

// Layer is a tar of the files in order of their names, each after its directories.
func Layer(files []File) ([]byte, error) {
	files = slices.Clone(files)
	for _, f := range files {
		for dir := path.Dir(f.Name); dir != "."; dir = path.Dir(dir) {
			files = append(files, File{Name: dir})
		}
	}
	slices.SortFunc(files, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	files = slices.Compact(files)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeDir, Name: f.Name + "/", Mode: 0o755}
		var data []byte
		var err error
		switch {
		case f.Link != "":
			h = &tar.Header{Typeflag: tar.TypeSymlink, Name: f.Name, Linkname: f.Link}
		case f.Source != "":
			if data, err = os.ReadFile(f.Source); err != nil {
				return nil, err
			}
			h = &tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Mode: 0o755, Size: int64(len(data))}
		case f.Text != "":
			data = []byte(f.Text)
			h = &tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Mode: 0o644, Size: int64(len(data))}
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(data); err != nil {
			return nil, err
		}
	}
	err := w.Close() // which ends the archive, so it comes before the bytes
	return b.Bytes(), err
}
