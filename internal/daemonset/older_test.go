package daemonset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The pods that Batten comes too late for are named in the DaemonSet's log.
func TestSayOlderPods(t *testing.T) {
	var log strings.Builder
	a := &Agent{Log: &log, root: t.TempDir()}
	a.sayOlderPods()
	if !strings.Contains(log.String(), "pods that are older than the installation are unknown: open ") {
		t.Errorf("without /proc: %s", log.String())
	}
	bundle := filepath.Join(a.root, "run/ab12")
	for path, text := range map[string]string{
		filepath.Join(bundle, "config.json"): `{"ociVersion": "1.2.0", "annotations": {"io.kubernetes.cri.sandbox-namespace": "default", "io.kubernetes.cri.sandbox-name": "shop"}}`,
		a.host("/proc/7/status"):             "Name:\tcontainerd-shim\nPPid:\t1\n",
		a.host("/proc/7/cmdline"):            "/usr/bin/containerd-shim-runc-v2\x00-namespace\x00k8s.io\x00-id\x00ab12\x00",
	} {
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"exe": "/usr/bin/containerd-shim-runc-v2", "cwd": bundle} {
		if err := os.Symlink(target, a.host("/proc/7/"+link)); err != nil {
			t.Fatal(err)
		}
	}
	log.Reset()
	a.sayOlderPods()
	for _, want := range []string{
		"pods with a shim that is not Batten's: 1; their later containers may bypass Batten until the pods are deleted. On the node, batten status --older-pods lists them",
		"may bypass Batten: later containers of pod default/shop (ab12)",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("got\n%s\nwant %s", log.String(), want)
		}
	}
}
