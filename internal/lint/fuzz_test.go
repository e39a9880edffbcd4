package lint

import (
	"bytes"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
)

// FuzzFiles: whatever a file holds, it is judged or named, edits fit it, and the report can
// be printed.
func FuzzFiles(f *testing.F) {
	for _, text := range []string{
		"", "# c\n---\n", "foo: bar\n", "{}", "version: 1\n", `{"ociVersion": "1.0.2"}`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["socket", "mmap"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]}]}`,
		"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: x/v1, kind: SeccompProfile, spec: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{action: SCMP_ACT_ERRNO, names: [mkdir]}]}}\n- {apiVersion: v1, kind: Pod, spec: {containers: [{name: c}]}}\n",
		"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  templates:\n  - container: {image: i}\n",
		"{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [{\"name\": \"c\"}]}} {\"apiVersion\": \"a/v1\", \"kind\": \"B\", \"steps\": [{\"image\": \"c\"}]}\n{\"kind\": \"SeccompProfile\"}",
		"apiVersion: v1\nkind: Pod\nspec: {os: {name: windows}, containers: [{name: 1}]}\n",
		"{{- if .x }}\nkind: Pod\n{{ end }}\n",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, found bool) {
		l := Linter{Environment: manifest.Environment{SeccompRoot: "/nowhere", PodSecurity: "restricted"}}
		data := []byte(text)
		r, err := l.Files([]File{{Name: "f.yaml", Data: data, Found: found}})
		if err != nil {
			return
		}
		var edits []manifest.Edit
		for _, f := range r.Findings {
			edits = append(edits, f.Edits...)
		}
		if _, err := manifest.Apply(data, edits); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var out bytes.Buffer
		if err := WriteSARIF(&out, r); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if r.Judged == 0 && len(r.Findings)+len(r.Unseen) == 0 && SortOf(data) == Profile {
			t.Errorf("%q: a profile is passed over", text)
		}
	})
}
