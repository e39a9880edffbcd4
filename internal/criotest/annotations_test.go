package criotest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/criotest"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var update = flag.Bool("update", false, "write testdata anew")

// TestSpecs keeps what is read here as a config.json what the code makes.
func TestSpecs(t *testing.T) {
	pod := criotest.Pod{Name: "shop-1", Namespace: "web", UID: "5d1c-77", Labels: map[string]string{"app": "shop"}, Annotations: map[string]string{"kubernetes.io/config.source": "api"}}
	forging := pod
	forging.Annotations = map[string]string{"io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.pod.namespace": "monitoring"}
	restored := maps.Clone(criotest.Kubelet)
	restored["io.kubernetes.cri-o.ImageName"] = "docker.io/library/agent:1"
	for name, annotations := range map[string]map[string]string{
		"sandbox":   pod.Sandbox(),
		"container": pod.Container(criotest.Container{Name: "main", Image: "docker.io/library/shop:1", Annotations: criotest.Kubelet}),
		"init":      pod.Container(criotest.Container{Name: "migrate", Image: "docker.io/library/shop:1", Annotations: criotest.Kubelet}),
		"restored":  pod.Container(criotest.Container{Name: "main", Image: "docker.io/library/shop:1", Annotations: restored}),
		"forged":    forging.Sandbox(),
	} {
		want, err := json.MarshalIndent(specs.Spec{Version: "1.2.1", Root: &specs.Root{Path: "rootfs"}, Process: &specs.Process{Args: []string{"/probe"}, Cwd: "/"}, Annotations: annotations, Linux: &specs.Linux{}}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, '\n')
		path := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s (%v) differs; go test ./internal/criotest -update\n%s", path, err, want)
		}
	}
}
