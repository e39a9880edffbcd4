package manifest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
)

// TestReports: files that people have, and what is true of them.
func TestReports(t *testing.T) {
	for _, tt := range []struct{ file, want, after string }{
		{
			file:  "fix-null.yaml",
			want:  "7:5 no-profile spec.containers[0]\n",
			after: "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n  containers:\n  - {name: c, image: xx}\n",
		},
		{file: "windows-pod.yaml"},
		{file: "podlist.json", want: "1:149 privileged items[0].spec.containers[0].securityContext.privileged\n"},
		{file: "crds.yaml", want: `11:76 privileged spec.replicatedJobs[0].template.spec.template.spec.containers[0].securityContext.privileged
20:72 privileged spec.headGroupSpec.template.spec.containers[0].securityContext.privileged
30:74 privileged spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].securityContext.privileged
38:57 privileged spec.templates[0].container.securityContext.privileged
44:58 unconfined spec.podTemplate.securityContext.seccompProfile.type
`},
	} {
		data, err := os.ReadFile("testdata/reports/" + tt.file)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, f := range lint(t, string(data), node) {
			fmt.Fprintf(&got, "%d:%d %s %s\n", f.Line, f.Column, f.ID, f.Path)
		}
		if got.String() != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.file, &got, tt.want)
		}
		want := tt.after
		if want == "" {
			want = string(data)
		}
		if fixed, _ := fix(t, string(data)); fixed != want {
			t.Errorf("%s: after --fix\n%s", tt.file, fixed)
		}
	}
}

// TestUnseen: an object in which no pod was found is named.
func TestUnseen(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{name: "a pod", text: pod(podDefault, "")},
		{name: "a kind of Kubernetes that makes no pod", text: "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"},
		{name: "a kind with a pod by shape", text: "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\nspec: {template: {spec: {containerConcurrency: 1, containers: [{image: i}]}}}\n"},
		{name: "Rollout", text: "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec: {template: {spec: {containers: [{name: c, image: i}]}}}\n"},
		{
			name: "an unknown kind", text: "apiVersion: example.com/v1\nkind: Farm\nmetadata: {name: f}\nspec: {size: 3}\n",
			want: "1 Farm/f: no pod template found in it; its kind is not one that Batten knows",
		},
		{
			name: "no containers", text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 3}\n",
			want: "1 Deployment/d: no containers found in it",
		},
		{
			name: "what only looks like a pod", text: "apiVersion: example.com/v1\nkind: Farm\nmetadata: {name: f}\nspec: {template: {spec: {containers: [{name: c, tty: 3}]}}}\n",
			want: "1 Farm/f: what looks like a pod in it is none that the API server would read (line 4: spec.template.spec.containers[0].tty is a number, and true or false belongs there)",
		},
		{
			name: "a key twice", text: "apiVersion: example.com/v1\nkind: Farm\nmetadata: {name: f}\nspec: {a: {containers: [], containers: []}}\n",
			want: `1 Farm/f: not all of it was looked at: line 4: key "containers" occurs twice: kubectl and the API server take the last one, and with strict validation they refuse the object; remove one`,
		},
		{
			name: "for Windows", text: "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeSelector: {kubernetes.io/os: windows}, containers: [{name: c, image: i}]}\n",
			want: "1 Pod/p: a pod for Windows, where there is no seccomp: only what the API server refuses was looked at",
		},
		{
			name: "something else", text: pod(podDefault, "") + "---\nreplicas: 3\n",
			want: "11 a document: no Kubernetes object: it has no apiVersion or no kind",
		},
	} {
		objects, err := manifest.Parse("f", []byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range manifest.NotSeen(objects) {
			got = append(got, fmt.Sprintf("%d %s: %s", u.Line, u.Object, u.Why))
		}
		if text := strings.Join(got, "\n"); text != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, text, tt.want)
		}
	}
}
