package kubernetes

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/cluster"
	corev1 "k8s.io/api/core/v1"
)

// wantExplained checks what batten explain says, before it is there, of a pod whose main
// container and sandbox have these modes of seccomp.
func wantExplained(t *testing.T, c *cluster.Cluster, pod *corev1.Pod, main, sandbox string) {
	t.Helper()
	manifest := &corev1.Pod{TypeMeta: pod.TypeMeta, ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}
	manifest.APIVersion, manifest.Kind = "v1", "Pod"
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	cmd := c.Command("batten", "explain", "--as-installed=false", "--containerd", c.Config(), "--seccomp-root", filepath.Join(c.Dir, "kubelet/seccomp"), "-")
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v: %s%s", pod.Name, err, &stdout, &stderr)
	}
	modes := make(map[string]string)
	for line := range strings.Lines(stdout.String()) {
		if row := regexp.MustCompile(` {2,}`).Split(line, -1); len(row) == 5 {
			modes[row[0]] = "2"
			if row[3] == "no filter" {
				modes[row[0]] = "0"
			}
		}
	}
	if modes["main"] != main || modes["(sandbox)"] != sandbox {
		t.Errorf("%s: main has Seccomp: %s and its sandbox %s, and batten explain says\n%s%s", pod.Name, main, sandbox, &stdout, &stderr)
	}
}
