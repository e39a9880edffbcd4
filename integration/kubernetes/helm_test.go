package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/integration/node"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func chart() string { return filepath.Join(node.Root(), "deploy/helm/batten") }

// rendered is what the chart makes of values, or what helm says against them.
func rendered(t *testing.T, args ...string) (string, error) {
	t.Helper()
	args = append([]string{"batten", chart(), "--namespace", system, "--kube-version", "1.35"}, args...)
	out, err := cluster.HelmTemplate(t, t.TempDir(), args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", errors.New(string(exit.Stderr))
	}
	return string(out), err
}

// objects are those of a stream of YAML by kind, namespace and name, without the hooks.
func objects(t *testing.T, text string) map[string]map[string]any {
	t.Helper()
	out := make(map[string]map[string]any)
	d := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var o map[string]any
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		metadata, _ := o["metadata"].(map[string]any)
		annotations, _ := metadata["annotations"].(map[string]any)
		if o == nil || annotations["helm.sh/hook"] != nil {
			continue
		}
		key := fmt.Sprint(o["kind"], " ", metadata["namespace"], "/", metadata["name"])
		if out[key] != nil {
			t.Errorf("%s is there twice", key)
		}
		out[key] = o
	}
}

// TestChartIsKustomize: the chart makes the objects of the overlays, but for the namespace, which
// Helm leaves to its caller.
func TestChartIsKustomize(t *testing.T) {
	for mode, name := range map[string]string{"RuntimeClass": "runtimeclass", "Default": "default"} {
		text, err := rendered(t, "--set", "mode="+mode)
		if err != nil {
			t.Fatal(err)
		}
		kustomized, err := cluster.Kustomize(t, overlay(name)).Output()
		if err != nil {
			t.Fatal(err)
		}
		got, want := objects(t, text), objects(t, string(kustomized))
		const namespace = "Namespace <nil>/" + system
		if want[namespace] == nil {
			t.Errorf("%s has no %s", name, namespace)
		}
		delete(want, namespace)
		for key, o := range want {
			if !reflect.DeepEqual(got[key], o) {
				t.Errorf("%s, mode %s:\nchart     %s\nkustomize %s", key, mode, compact(got[key]), compact(o))
			}
			delete(got, key)
		}
		for key := range got {
			t.Errorf("%s is the chart's alone", key)
		}
	}
}

func compact(o any) string {
	data, err := json.Marshal(o)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// TestChartValues: values that the schema refuses, each with one beside it that it takes.
func TestChartValues(t *testing.T) {
	for _, row := range []struct{ name, value, refused, says string }{
		{name: "mode", value: "mode=Default", refused: "mode=Sometimes", says: "at '/mode': value must be one of 'RuntimeClass', 'Default'"},
		{name: "unknown value", value: "policy=x", refused: "polcy=x", says: "at '': additional properties 'polcy' not allowed"},
		{name: "no policy", value: "policy=x", refused: "policy=", says: "at '/policy': minLength: got 0, want 1"},
		{name: "tag", value: "image.tag=v1.2.3", refused: "image.tag=a b", says: "at '/image/tag': 'a b' does not match pattern '^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$'"},
		{name: "pull policy", value: "image.pullPolicy=Always", refused: "image.pullPolicy=Often", says: "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"},
		{name: "drop-in's name", value: `dropIns.a\.yaml=x`, refused: `dropIns.a\.yml=x`, says: `at '/dropIns': additional properties 'a.yml' not allowed`},
		{name: "drop-in for policy", value: `dropIns.b\.yaml=x`, refused: `dropIns.policy\.yaml=x`, says: `at '/dropIns/policy.yaml': false schema`},
		{name: "profile's name", value: `profiles.a\.json=x`, refused: `profiles.runc\.toml=x`, says: `at '/profiles': additional properties 'runc.toml' not allowed`},
		{name: "profile", value: `profiles.a\.json=x`, refused: `profiles.a\.json.defaultAction=SCMP_ACT_ERRNO`, says: `at '/profiles/a.json': got object, want string`},
		{name: "a key of no ConfigMap", value: `dropIns.a-b\.yaml=x`, refused: `dropIns.a b\.yaml=x`, says: `at '/dropIns': additional properties 'a b.yaml' not allowed`},
		{name: "repository", value: "image.repository=registry.example:5000/a/b", refused: "image.repository=a #b", says: "at '/image/repository': 'a #b' does not match pattern"},
		{name: "nothing said of containerd", value: "containerd=null", refused: "containerd=x", says: "at '/containerd': got string, want object"},
		{name: "no tolerations", value: "tolerations=null", refused: "tolerations=x", says: "at '/tolerations': got string, want array"},
		{name: "socket", value: "containerd.socket=/run/c.sock", refused: "containerd.socket=c.sock", says: "at '/containerd/socket': 'c.sock' does not match pattern '^(/.*)?$'"},
		{name: "toleration", value: "tolerations[0].effect=NoExecute", refused: "tolerations[0].effect=Never", says: "at '/tolerations/0/effect': value must be one of 'NoSchedule', 'PreferNoSchedule', 'NoExecute'"},
	} {
		if _, err := rendered(t, "--set", row.value); err != nil {
			t.Errorf("%s: the control, %s: %v", row.name, row.value, err)
		}
		_, err := rendered(t, "--set", row.refused)
		if err == nil || !strings.Contains(err.Error(), "values don't meet the specifications of the schema(s) in the following chart(s):\nbatten:\n") || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %s: %v\nwant %s", row.name, row.refused, err, row.says)
		}
	}
}

// TestChartPods: values come to the pods, and the startup taint is always tolerated.
func TestChartPods(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "profile.json")
	if err := os.WriteFile(profile, []byte(ruleProfile), 0o600); err != nil {
		t.Fatal(err)
	}
	const ours = `{"key":"batten-runtime.github.io/agent-not-ready","operator":"Exists"}`
	for tolerations, want := range map[string]string{
		`[{"operator":"Exists"}]`: `[{"operator":"Exists"}]`,
		`[]`:                      `[` + ours + `]`,
		`[{"operator":"Exists","effect":"NoExecute"}]`: `[{"effect":"NoExecute","operator":"Exists"},` + ours + `]`,
		`[{"key":"gpu","value":"yes"}]`:                `[{"key":"gpu","value":"yes"},` + ours + `]`,
	} {
		text, err := rendered(t, "--set-json", "tolerations="+tolerations, "--set", "mode=Default", "--set", "image.repository=registry.example/batten",
			"--set", "image.tag=v1", "--set", "containerd.socket=/run/c.sock", "--set", "containerd.config=/etc/a #b: c.toml",
			"--set", "containerd.binary=/usr/bin/containerd", "--set", "distribution=k3s", "--set", "bin=/opt/a: b",
			"--set-json", `nodeSelector={"pool":"a"}`, "--set-json", `imagePullSecrets=[{"name":"pull"}]`, "--set-json", `resources={"limits":{"memory":"1Gi"}}`,
			"--set-file", `profiles.no-keys\.json=`+profile, "--set", `dropIns.block\.yaml=version: 1`)
		if err != nil {
			t.Fatal(err)
		}
		made := objects(t, text)
		pod := made["DaemonSet "+system+"/batten"]["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
		container := pod["containers"].([]any)[0].(map[string]any)
		for _, row := range []struct {
			got  any
			want string
		}{
			{got: pod["tolerations"], want: want},
			{got: pod["nodeSelector"], want: `{"kubernetes.io/os":"linux","pool":"a"}`},
			{got: pod["imagePullSecrets"], want: `[{"name":"pull"}]`},
			{got: container["image"], want: `"registry.example/batten:v1"`},
			{got: container["args"], want: `["--root=/host","--default","--socket=/run/c.sock","--config=/etc/a #b: c.toml","--containerd-binary=/usr/bin/containerd","--distribution=k3s","--bin=/opt/a: b"]`},
			{got: container["resources"], want: `{"limits":{"memory":"1Gi"},"requests":{"cpu":"10m","memory":"32Mi"}}`},
			{got: slices.Sorted(maps.Keys(made["ConfigMap "+system+"/batten-policy"]["data"].(map[string]any))), want: `["block.yaml","no-keys.json","policy.yaml"]`},
		} {
			if got := compact(row.got); got != row.want {
				t.Errorf("tolerations %s: got %s, want %s", tolerations, got, row.want)
			}
		}
	}
}
