package daemonset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The pods that Batten comes too late for are named in the DaemonSet's log.
func TestSayOlderPods(t *testing.T) {
	var log strings.Builder
	server := oneNode(`{}`, `{}`, 0)
	a := &Agent{Log: &log, root: t.TempDir(), Cluster: inCluster(t, server)}
	say := func() {
		t.Helper()
		log.Reset()
		a.older.next = time.Time{}
		if err := a.sayOlderPods(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if say(); log.Len() > 0 || len(server.asked) > 0 {
		t.Errorf("where Batten is not the default: %s%q", log.String(), server.asked)
	}
	a.Install.Default = true
	say()
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
	a.older = olderCount{} // the next pod of the DaemonSet
	say()
	for _, want := range []string{
		"pods with a shim that is not Batten's: 1; their later containers may bypass Batten until the pods are deleted. On the node, batten status --older-pods lists them",
		"may bypass Batten: later containers of pod default/shop (ab12)",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("got\n%s\nwant %s", log.String(), want)
		}
	}
	// The node says so, and an event; then nothing until something changes.
	const marked = `{"metadata":{"annotations":{"batten-runtime.github.io/older-pods":%s},"labels":{"batten-runtime.github.io/older-pods":%q}}}`
	asked := strings.Join(server.asked, "\n")
	for _, want := range []string{
		fmt.Sprintf(marked, "null", "unknown"),
		fmt.Sprintf(marked, `"[{\"id\":\"ab12\",\"namespace\":\"default\",\"name\":\"shop\",\"shim\":7}]"`, "1"),
		`pods with a shim that is not Batten's: 1; their later containers may bypass Batten until the pods are deleted: drain the node. The annotation batten-runtime.github.io/older-pods lists them`,
	} {
		if !strings.Contains(asked, want) {
			t.Errorf("asked\n%s\nwant %s", asked, want)
		}
	}
	before := len(server.asked)
	if say(); log.Len() > 0 || len(server.asked) != before {
		t.Errorf("again: %s%q", log.String(), server.asked[before:])
	}
	if err := os.RemoveAll(a.host("/proc/7")); err != nil {
		t.Fatal(err)
	}
	say()
	if want := "pods with a shim that is not Batten's: 0 now\n"; log.String() != want || len(server.asked) != before+1 || !strings.HasSuffix(server.asked[before], fmt.Sprintf(marked, "null", "0")) {
		t.Errorf("after the pod: %s%q", log.String(), server.asked[before:])
	}
}
