package status_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/status"
)

func TestOlderPods(t *testing.T) {
	bundles := t.TempDir()
	const stock, batten = "/usr/bin/containerd-shim-runc-v2", "/usr/local/bin/containerd-shim-batten-v2"
	bundle := func(id, annotations, runtime string) string {
		dir := filepath.Join(bundles, id)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"config.json": `{"ociVersion": "1.2.0", "annotations": {` + annotations + `}}`, "runtime": runtime,
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	shim := func(pid int, exe, namespace, id, cwd string, action ...string) process {
		return process{pid: pid, parent: 1, mounts: hostMounts, pids: procfs.HostPidNamespace, exe: exe, cwd: cwd, args: append([]string{"-namespace", namespace, "-id", id, "-address", "/c.sock"}, action...)}
	}
	const shop = `"io.kubernetes.cri.sandbox-namespace": "default", "io.kubernetes.cri.sandbox-name": "shop"`
	const evil = `"io.kubernetes.cri.sandbox-namespace": "default", "io.kubernetes.cri.sandbox-name": "--all -n kube-system"`
	for _, tt := range []struct {
		name string
		shim process
		want []status.OlderPod
	}{
		{
			name: "stock", shim: shim(10, stock, "k8s.io", "a", bundle("a", shop, "")),
			want: []status.OlderPod{{ID: "a", Namespace: "default", Name: "shop", Shim: 10}},
		},
		{
			name: "of a package that was upgraded since", shim: shim(10, stock+" (deleted)", "k8s.io", "b", bundle("b", shop, "")),
			want: []status.OlderPod{{ID: "b", Namespace: "default", Name: "shop", Shim: 10}},
		},
		{
			name: "a name that is none", shim: shim(10, stock, "k8s.io", "c", bundle("c", evil, "")),
			want: []status.OlderPod{{ID: "c", Namespace: "default", Shim: 10}},
		},
		{
			name: "without a spec", shim: shim(10, stock, "k8s.io", "gone", filepath.Join(bundles, "gone")),
			want: []status.OlderPod{{ID: "gone", Shim: 10}},
		},
		{name: "Batten's", shim: shim(10, batten, "k8s.io", "d", bundle("d", shop, ""))},
		{name: "Batten's, upgraded since", shim: shim(10, batten+" (deleted)", "k8s.io", "e", bundle("e", shop, ""))},
		{name: "batten-runc's", shim: shim(10, stock, "k8s.io", "f", bundle("f", shop, "/usr/local/bin/batten-runc"))},
		{name: "Docker's", shim: shim(10, stock, "moby", "g", bundle("g", "", ""))},
		{name: "on its way", shim: shim(10, stock, "k8s.io", "h", bundle("h", shop, ""), "start")},
		{name: "in a container", shim: shim(10, stock, "k8s.io", "i", "/")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			processes, err := procfs.All(proc(t, tt.shim))
			if err != nil {
				t.Fatal(err)
			}
			if got := status.OlderPods(processes); !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
