package manifest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy/document"
)

// node is where the manifests of the tests go.
var node = manifest.Environment{
	SeccompRoot: "/var/lib/kubelet/seccomp", SeccompFiles: []string{"web.json", "profiles/audit.json", "a/twice.json", "b/twice.json"},
	Handlers: []string{"runc", "batten"}, PodSecurity: "privileged", Localhost: judged,
}

// judged stands for what reads profiles.
func judged(name string) document.Findings {
	switch name {
	case "a/twice.json":
		return document.Findings{{ID: "not-read", Line: 1, Column: 2, Message: "is not JSON"}}
	case "b/twice.json":
		return document.Findings{{ID: "dropped", Line: 3, Column: 4, Message: "drops it", Warning: true}}
	}
	return nil
}

// pod is a pod of one container, with lines of the pod's and of the container's
// spec.
func pod(spec, container string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n" + spec + "  containers:\n  - name: c\n    image: i\n" + container
}

const (
	podDefault = "  securityContext:\n    seccompProfile: {type: RuntimeDefault}\n"
	ofPod      = "spec.securityContext.seccompProfile"
	ofC        = "spec.containers[0].securityContext"
)

func lint(t *testing.T, text string, env manifest.Environment) []manifest.Finding {
	t.Helper()
	objects, err := manifest.Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return manifest.Lint(objects, env)
}

func texts(findings []manifest.Finding) string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

func TestLint(t *testing.T) {
	tested := map[string]bool{"localhost-unknown": true} // below
	for _, tt := range lintTests {
		t.Run(tt.name, func(t *testing.T) {
			tested[tt.name] = true
			findings := lint(t, tt.text, node)
			if got := texts(findings); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			} else if findings[0].ID != tt.name {
				t.Errorf("its ID is %s", findings[0].ID)
			}
			if got := texts(lint(t, tt.clean, node)); got != "" {
				t.Errorf("the clean twin: %s", got)
			}
		})
	}
	for _, id := range slices.Sorted(maps.Keys(manifest.IDs)) {
		if !tested[id] {
			t.Errorf("%s has no test", id)
		}
	}
}

// Where nothing is known of the node's files and handlers only what does not
// depend on them is said.
func TestLintElsewhere(t *testing.T) {
	env := node
	env.SeccompFiles, env.Handlers = nil, nil
	text := pod("  runtimeClassName: gvisor\n  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: x.json}\n", "")
	want := `manifest "f":7:57: warning: ` + ofPod + `.localhostProfile: Pod/p: the kubelet will look for /var/lib/kubelet/seccomp/x.json, and whether it is there cannot be seen here; run lint on a node as root, or name its copy with --seccomp-root`
	if got := texts(lint(t, text, env)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	env.PodSecurity = "baseline"
	text = pod(podDefault+"  hostNetwork: true\n", "")
	want = `manifest "f":5:3: warning: spec: Pod/p: a namespace with Pod Security "baseline" refuses it: host namespaces (hostNetwork=true)`
	if got := texts(lint(t, text, env)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Pods are found in whatever holds them, and in every kind of container.
func TestLintFindsPods(t *testing.T) {
	spec := "{spec: {containers: [{name: c}], initContainers: [{name: i}], ephemeralContainers: [{name: e}]}}"
	for kind, text := range map[string]string{
		"Pod":         strings.TrimSuffix(strings.TrimPrefix(spec, "{"), "}"),
		"Deployment":  "spec: {template: " + spec + "}",
		"CronJob":     "spec: {jobTemplate: {spec: {template: " + spec + "}}}",
		"PodTemplate": "template: " + spec,
	} {
		findings := lint(t, "{apiVersion: v1, kind: "+kind+", metadata: {name: x}, "+text+"}", node)
		if len(findings) != 3 {
			t.Errorf("%s: %d findings, want 3: %s", kind, len(findings), texts(findings))
		}
		in := lint(t, "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: "+kind+", metadata: {name: x}, "+text+"}]}", node)
		if len(in) != 3 {
			t.Errorf("%s in a List: %d findings, want 3: %s", kind, len(in), texts(in))
		}
	}
	if out := lint(t, "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: []}\n---\n\n---\njust: text\n", node); len(out) != 0 {
		t.Errorf("what makes no pod: %s", texts(out))
	}
}

// An alias may stand for what is written outside the pod; written out, aliases of
// aliases do not fill the memory.
func TestLintAliases(t *testing.T) {
	const head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
	text := head + "spec:\n  selector: {matchLabels: &labels {app: web}}\n  template:\n    metadata: {labels: *labels}\n    spec:\n      securityContext: {seccompProfile: {type: RuntimeDefault}}\n      containers: [{name: c}]\n"
	if got := texts(lint(t, text, node)); got != "" {
		t.Errorf("got %s", got)
	}
	bomb := head + "a: &a [x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'j'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 7), c-1)
	}
	bomb += "spec: {template: {metadata: {labels: *i}, spec: {containers: [{name: c}]}}}\n"
	if got := texts(lint(t, bomb, node)); !strings.Contains(got, "more than 100000 values, aliases written out") {
		t.Errorf("got %s", got)
	}
}

// FuzzLint: whatever is read can be linted and mended, and edits fit their text.
func FuzzLint(f *testing.F) {
	for _, tt := range lintTests {
		f.Add(tt.text)
		f.Add(tt.clean)
	}
	f.Add("a: &a {b: *a}\n")
	f.Add("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  templates:\n  - name: x\n    container: {image: i}\n")
	f.Add("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [{\"name\": \"c\"}]}}\n {\"apiVersion\": \"a/v1\", \"kind\": \"B\", \"steps\": [{\"image\": \"c\"}]}")
	f.Add("spec:\n  containers:\n  -\n  containers:")
	f.Add("spec:\n  securityContext:\n   seccompProfile: {type: Localhost,localhostProfile: r\n/audit.json}\n  containers:\n  - e:")
	f.Add("0: {00\r\r0}\nspec:\n  containers:\n  -")
	f.Add("apiVersion: v1\nkind: Pod\nspec:\n  <<: &x {containers: [{name: c}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		objects, err := manifest.Parse("f", []byte(text))
		if err != nil {
			return
		}
		var edits []manifest.Edit
		for _, finding := range manifest.Lint(objects, node) {
			edits = append(edits, finding.Edits...)
		}
		if _, err := manifest.Apply([]byte(text), edits); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
