package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
)

// TestFix compares with goldens: what is mended says less than before, and mending
// it again changes nothing.
func TestFix(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var edits []manifest.Edit
		before := lint(t, string(text), node)
		for _, f := range before {
			edits = append(edits, f.Edits...)
		}
		got, err := manifest.Apply(text, edits)
		if err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(file, ".yaml") + ".golden"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || string(got) != string(want) {
			t.Errorf("%s: got\n%swant (%v)\n%s", file, got, err, want)
		}
		after := lint(t, string(got), node)
		for _, f := range after {
			if len(f.Edits) > 0 {
				t.Errorf("%s: mended, it still has %s", file, f)
			}
		}
		if len(after) >= len(before) {
			t.Errorf("%s: %d findings before, %d after: %s", file, len(before), len(after), texts(after))
		}
	}
}

// TestNotRepaired: where a repair is left out, the finding says why.
func TestNotRepaired(t *testing.T) {
	const (
		written = "an anchor, an alias, a merge key, or a value over several lines is in the way"
		shared  = "it would change another value too, which an anchor or a merge key shares, or what else stands there"
	)
	for _, tt := range []struct{ name, text, want string }{
		{name: "repaired", text: pod("", "    securityContext: {seccompProfile: {type: Unconfined}}\n")},
		{name: "nothing to repair", text: pod("", "    securityContext: {privileged: true}\n")},
		{name: "an anchor", text: pod("", "    securityContext: {seccompProfile: {type: &a Unconfined}}\n"), want: written},
		{
			name: "shared", want: shared,
			text: "x: &x {type: Unconfined}\n" + pod("", "    securityContext: {seccompProfile: *x}\n"),
		},
		{
			name: "parts", want: "the pod is made of parts that stand elsewhere in the object",
			text: "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  templates:\n  - name: x\n    container: {image: i}\n",
		},
	} {
		findings := lint(t, tt.text, node)
		if len(findings) != 1 {
			t.Errorf("%s: %s", tt.name, texts(findings))
			continue
		}
		f := findings[0]
		if f.NotRepaired != tt.want || tt.want != "" && len(f.Edits) > 0 {
			t.Errorf("%s: %q, %d edits, want %q", tt.name, f.NotRepaired, len(f.Edits), tt.want)
		}
	}
}

func TestApplyErrors(t *testing.T) {
	for _, tt := range []struct {
		edit manifest.Edit
		want string
	}{
		{manifest.Edit{Line: 1, Column: 1, Old: "b", New: "c"}, `1:1: is no longer "b"`},
		{manifest.Edit{Line: 3, Column: 1, Old: "a", New: "c"}, `3:1: is no longer "a"`},
		{manifest.Edit{Line: 1, Column: 5, Old: "a", New: "c"}, `1:5: is no longer "a"`},
	} {
		if _, err := manifest.Apply([]byte("a\n"), []manifest.Edit{tt.edit}); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	if got, err := manifest.Apply([]byte("é a\n"), []manifest.Edit{{Line: 1, Column: 3, Old: "a", New: "b"}}); err != nil || string(got) != "é b\n" {
		t.Errorf("columns count characters: %q, %v", got, err)
	}
}
