package kubernetes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/internal/manifest/manifesttest"
	corev1 "k8s.io/api/core/v1"
)

// checkLint: what lint says of the API server is what the API server does. What it took
// before --fix it takes afterwards, and then no container is without a profile.
func checkLint(t *testing.T, c *cluster.Cluster) {
	checkRefusals(t, c)
	checkTwice(t, c)
	taken := 0
	for number := range uint64(60) {
		m := manifesttest.Generate(number)
		before, err := dryRun(c, m.Text)
		if err != nil {
			continue // such as one with a field that nobody knows
		}
		taken++
		fixed := repaired(t, m.Text)
		after, err := dryRun(c, fixed)
		if err != nil {
			t.Fatalf("%v\nbefore --fix:\n%s\nafter:\n%s", err, m.Text, fixed)
		}
		for i, pod := range after {
			if bare := withoutProfile(pod); !m.Shared && bare != "" {
				t.Errorf("container %s has no profile:\n%s\nbefore --fix:\n%s", bare, fixed, m.Text)
			}
			if len(pod.Spec.Containers) != len(before[i].Spec.Containers) {
				t.Errorf("there were %d containers:\n%s\nbefore --fix:\n%s", len(before[i].Spec.Containers), fixed, m.Text)
			}
		}
	}
	if taken < 40 {
		t.Errorf("the API server took %d of 60 manifests", taken)
	}
	for _, tt := range []struct{ file, add string }{
		{file: "windows-pod.yaml", add: "  securityContext: {seccompProfile: {type: RuntimeDefault}}\n"},
		{file: "podlist.json"},
		{file: "fix-null.yaml"},
	} {
		data, err := os.ReadFile(filepath.Join(node.Root(), "internal/manifest/testdata/reports", tt.file))
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		if _, err := dryRun(c, repaired(t, text)); err != nil {
			t.Errorf("%s after --fix: %v", tt.file, err)
		}
		if tt.add == "" {
			continue
		}
		if _, err := dryRun(c, strings.TrimRight(text, "\n")+"\n"+tt.add); err == nil {
			t.Errorf("%s is taken with\n%s", tt.file, tt.add)
		}
	}
}

// checkRefusals: Batten says that the API server refuses exactly what it refuses.
func checkRefusals(t *testing.T, c *cluster.Cluster) {
	for _, tt := range manifesttest.Refused() {
		_, err := dryRun(c, tt.Text)
		if (err != nil) != (tt.Why != "") {
			t.Errorf("%s: the API server says %v, Batten %q", tt.Name, err, tt.Why)
		}
	}
	pod := cluster.Pod("empty-file")
	pod.Spec.SecurityContext = &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeLocalhost, LocalhostProfile: new("")}}
	c.AwaitEvent(c.Create(pod), "localhostProfile must be set")
}

// checkTwice: of a key that occurs twice kubectl and the API server take the last one, unless
// validation is strict. A value of another type the API server does not take.
func checkTwice(t *testing.T, c *cluster.Cluster) {
	const text = "apiVersion: v1\nkind: Pod\nmetadata: {name: twice}\nspec:\n  hostNetwork: %s\n  containers: [{name: c, image: i}]\n"
	if _, err := dryRun(c, fmt.Sprintf(text, "3")); err == nil {
		t.Error("the API server takes a number for true or false")
	}
	twice := fmt.Sprintf(text, "false\n  hostNetwork: true")
	if pods, err := dryRun(c, twice); err != nil || !pods[0].Spec.HostNetwork {
		t.Errorf("kubectl does not take the last one: %v, %v", pods, err)
	}
	post := func(validation string) error {
		return c.Client.CoreV1().RESTClient().Post().Namespace("default").Resource("pods").
			SetHeader("Content-Type", "application/yaml").SetHeader("Accept", "application/json").
			Param("dryRun", "All").Param("fieldValidation", validation).Body([]byte(twice)).Do(c.Ctx()).Error()
	}
	if err := post("Warn"); err != nil {
		t.Errorf("the API server refuses a key that occurs twice: %v", err)
	}
	if post("Strict") == nil {
		t.Error("with strict validation the API server takes a key that occurs twice")
	}
}

// dryRun returns the pods that the API server makes of a text.
func dryRun(c *cluster.Cluster, text string) (pods []corev1.Pod, err error) {
	cmd := c.Kubectl("create", "--dry-run=server", "-o", "json", "-f", "-")
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, errorOf(stderr.String())
	}
	var list corev1.PodList
	if err := json.Unmarshal(stdout.Bytes(), &list); err != nil {
		return nil, err
	}
	if list.Kind != "Pod" {
		return list.Items, nil
	}
	var pod corev1.Pod
	err = json.Unmarshal(stdout.Bytes(), &pod)
	return []corev1.Pod{pod}, err
}

type errorOf string

func (e errorOf) Error() string { return string(e) }

// repaired returns a text after lint --fix.
func repaired(t *testing.T, text string) string {
	t.Helper()
	for range 5 {
		objects, err := manifest.Parse("f", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var edits []manifest.Edit
		for _, f := range manifest.Lint(objects, manifest.Environment{PodSecurity: "privileged"}) {
			edits = append(edits, f.Edits...)
		}
		data, err := manifest.Apply([]byte(text), edits)
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	return text
}

// withoutProfile returns a container for which nobody asks for a profile.
func withoutProfile(pod corev1.Pod) string {
	if s := pod.Spec.SecurityContext; s != nil && s.SeccompProfile != nil {
		return ""
	}
	for _, c := range pod.Spec.Containers {
		if c.SecurityContext == nil || c.SecurityContext.SeccompProfile == nil {
			return c.Name
		}
	}
	return ""
}
