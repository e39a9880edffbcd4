package integration

import (
	"archive/tar"
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/deploy/image"
	"github.com/batten-runtime/batten/deploy/talos"
	"github.com/batten-runtime/batten/integration/node"
)

// talosBase is what Talos's own part says of the handler runc, which the extension's follows
// (siderolabs/talos, hack/cri-plugin.part).
const talosBase = `[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  base_runtime_spec = "/etc/cri/conf.d/base-spec.json"

`

// TestTalosExtension: the files of the extension, where Talos puts them, and its part merged
// with Talos's own into cri.toml, on real containerd: pods are filtered, by the policy of the
// image.
func TestTalosExtension(t *testing.T) {
	n := node.Start(t, newest)
	output(t, "the layout", n.Command("sh", "-c", "mkdir -p "+n.Dir+"/ns/up2 "+n.Dir+"/ns/work2 && mount -t overlay overlay -o lowerdir=/usr/local,upperdir="+
		n.Dir+"/ns/up2,workdir="+n.Dir+"/ns/work2 /usr/local && mkdir -p /etc/cri/conf.d && ctr oci spec >/etc/cri/conf.d/base-spec.json"))
	policy := t.TempDir()
	writeFile(t, filepath.Join(policy, "policy.yaml"), "version: 1\nrules:\n- {name: none of these, match: {pod: {name: [refused]}}, absent: Deny}\n")
	files, err := talos.Files(node.Shim(t), "1.2.3", policy, true)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range layerFiles(t, files) {
		if path, ok := strings.CutPrefix(name, "rootfs"); ok {
			writeFile(t, n.Path(path), text)
		}
	}
	output(t, "modes", n.Command("chmod", "755", "/usr/local/bin/containerd-shim-batten-v2"))
	part := string(read(t, n.Path("/etc/cri/conf.d/10-batten.part")))
	own := body(string(read(t, n.Config())))
	before, tables, _ := strings.Cut(own, "[grpc]")
	writeFile(t, n.Path("/etc/cri/conf.d/cri.toml"), "version = 3\n"+talosBase+part)
	writeFile(t, n.Path("/etc/cri/containerd.toml"), "version = 3\nimports = [\"/etc/cri/conf.d/cri.toml\"]\n"+before+"[grpc]"+tables)
	n.ReloadFrom("/etc/cri/containerd.toml")
	for handler, want := range map[string]string{"": "2", "batten": "2", "runc": "0"} {
		pod, err := n.RunPod(handler, "default", "talos", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := pod.Seccomp(""); got != want {
			t.Errorf("handler %q: Seccomp: %s, want %s", handler, got, want)
		}
		pod.Remove()
	}
	if _, err := n.RunPod("", "default", "refused", nil); err == nil || !strings.Contains(err.Error(), "/usr/local/etc/batten/policy.yaml") {
		t.Errorf("a pod that the image's policy refuses: %v", err)
	}
	if out, err := n.Command("batten", "install", "--containerd", "--distribution", "talos").CombinedOutput(); err == nil ||
		!strings.Contains(string(out), "batten: /etc/cri/containerd.toml is not to be edited: Talos writes it; the way is a system extension (make talos-extension)") {
		t.Errorf("install: %v: %s", err, out)
	}
}

// layerFiles returns the regular files of an image's layer, by name.
func layerFiles(t *testing.T, files []image.File) map[string]string {
	t.Helper()
	layer, err := image.Layer(files)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		var text []byte
		if err == nil {
			text, err = io.ReadAll(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			out[h.Name] = string(text)
		}
	}
}
