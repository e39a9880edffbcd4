package talos_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/deploy/image"
	"github.com/batten-runtime/batten/deploy/talos"
	"github.com/batten-runtime/batten/policy"
	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// shim makes a file in place of the shim.
func shim(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "containerd-shim-batten-v2")
	if err := os.WriteFile(file, []byte("\x7fELF"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// unpacked are the headers and contents of an extension's one layer, by name.
func unpacked(t *testing.T, files []image.File) map[string]struct {
	tar.Header
	text string
} {
	t.Helper()
	layer, err := image.Layer(files)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]struct {
		tar.Header
		text string
	}{}
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[h.Name] = struct {
			tar.Header
			text string
		}{*h, string(text)}
	}
}

// allowed are the paths of extensions that Batten needs, of siderolabs/talos,
// pkg/machinery/extensions/extensions.go.
var allowed = []string{"/etc/cri/conf.d", "/usr/local"}

// TestFormat: the extension is what Talos takes (pkg/machinery/extensions: load.go, validate.go): a manifest
// and a rootfs and nothing else, in paths that are allowed, not for everybody to write.
func TestFormat(t *testing.T) {
	for _, isDefault := range []bool{false, true} {
		files, err := talos.Files(shim(t), "1.2.3", "../kubernetes/base", isDefault)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(unpackedNames(t, files)); err != nil {
			t.Error(err)
		}
		if err := valid(append(unpackedNames(t, files), tar.Header{Name: "rootfs/etc/batten/policy.yaml", Typeflag: tar.TypeReg, Mode: 0o644})); err == nil {
			t.Error("a file that Talos refuses passes")
		}
		all := unpacked(t, files)
		checkManifest(t, all["manifest.yaml"].text)
		checkPart(t, all["rootfs/etc/cri/conf.d/10-batten.part"].text, isDefault)
		if h := all["rootfs/usr/local/bin/containerd-shim-batten-v2"]; h.text != "\x7fELF" || h.Mode != 0o755 || h.Uid != 0 {
			t.Errorf("the shim is %q, %v", h.text, h.Header)
		}
		text := all["rootfs/usr/local/etc/batten/policy.yaml"].text
		if _, findings := policy.Parse("policy.yaml", []byte(text), nil); findings.Err() != nil {
			t.Error(findings.Err())
		}
	}
}

func unpackedNames(t *testing.T, files []image.File) (headers []tar.Header) {
	t.Helper()
	for _, h := range unpacked(t, files) {
		headers = append(headers, h.Header)
	}
	return headers
}

// valid returns what Talos says against files of an extension.
func valid(headers []tar.Header) error {
	for _, h := range headers {
		top, below, _ := strings.Cut(strings.TrimSuffix(h.Name, "/"), "/")
		if top != "manifest.yaml" && top != "rootfs" {
			return fmt.Errorf("unexpected file %q", top)
		}
		if h.FileInfo().Mode().Perm()&0o002 != 0 {
			return fmt.Errorf("world-writeable: %q", h.Name)
		}
		in := func(dir string) bool { return strings.HasPrefix(path.Join("/", below), dir) }
		if top == "rootfs" && h.Typeflag != tar.TypeDir && !slices.ContainsFunc(allowed, in) {
			return fmt.Errorf("path %q is not allowed", below)
		}
	}
	return nil
}

// checkManifest: the keys of metadata.go, no others.
func checkManifest(t *testing.T, text string) {
	t.Helper()
	var m struct {
		Version  string `yaml:"version"`
		Metadata struct {
			Name, Version, Author, Description string
			Compatibility                      struct {
				Talos struct {
					Version string `yaml:"version"`
				} `yaml:"talos"`
			} `yaml:"compatibility"`
		} `yaml:"metadata"`
	}
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	if m.Version != "v1alpha1" || m.Metadata.Name != "batten" || m.Metadata.Version != "1.2.3" || m.Metadata.Author == "" || m.Metadata.Description == "" {
		t.Errorf("the manifest is %+v", m)
	}
	if !regexp.MustCompile(`^>= v[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(m.Metadata.Compatibility.Talos.Version) {
		t.Errorf("the constraint is %q", m.Metadata.Compatibility.Talos.Version)
	}
}

// checkPart: a handler of Batten's shim with the policy of the image.
func checkPart(t *testing.T, text string, isDefault bool) {
	t.Helper()
	var part struct {
		Plugins map[string]struct {
			Containerd struct {
				Default  string `toml:"default_runtime_name"`
				Runtimes map[string]struct {
					Type    string `toml:"runtime_type"`
					Path    string `toml:"runtime_path"`
					Spec    string `toml:"base_runtime_spec"`
					Options map[string]any
				} `toml:"runtimes"`
			} `toml:"containerd"`
		} `toml:"plugins"`
	}
	if err := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(&part); err != nil {
		t.Fatal(err)
	}
	cri := part.Plugins["io.containerd.cri.v1.runtime"].Containerd
	h := cri.Runtimes["batten"]
	if h.Type != "io.containerd.batten.v2" || h.Path != "/usr/local/bin/containerd-shim-batten-v2" || h.Options["Policy"] != "/usr/local/etc/batten/policy.yaml" {
		t.Errorf("the handler is %+v", h)
	}
	if want := map[bool]string{true: "batten"}[isDefault]; cri.Default != want {
		t.Errorf("the default is %q, want %q", cri.Default, want)
	}
}

// TestFilesRefused: without a policy there is no extension.
func TestFilesRefused(t *testing.T) {
	if _, err := talos.Files(shim(t), "1.2.3", t.TempDir(), false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a policy: %v", err)
	}
	for text, want := range map[string]string{
		"version: 1\nabsent: RuntimeDfault\n":                              "absent: ",
		"version: 1\nabsent: mine\nprofiles:\n  mine: {file: gone.json}\n": "gone.json",
		"version: 1\nabsent: RuntimeDefault\n":                             "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := talos.Files(shim(t), "1.2.3", dir, false); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func ExamplePart() {
	fmt.Print(talos.Part(true))
	// Output:
	// [plugins."io.containerd.cri.v1.runtime".containerd]
	//   default_runtime_name = "batten"
	//
	// [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.batten]
	//   runtime_type = "io.containerd.batten.v2"
	//   runtime_path = "/usr/local/bin/containerd-shim-batten-v2"
	//   base_runtime_spec = "/etc/cri/conf.d/base-spec.json"
	//
	// [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.batten.options]
	//   Policy = "/usr/local/etc/batten/policy.yaml"
}
