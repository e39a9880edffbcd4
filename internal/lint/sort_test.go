package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSortOf: what a file is by its keys.
func TestSortOf(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Sort
	}{
		{text: "", want: Empty},
		{text: "# c\n---\n", want: Empty},
		{text: "# c\n---\nfoo: bar\n", want: Neither},
		{text: "a: [", want: Unreadable},
		{text: "[1]", want: Unreadable},
		{text: "{}", want: Profile},
		{text: `{"defaultAction": "SCMP_ACT_ALLOW"}`, want: Profile},
		{text: `{"DEFAULTACTION": "SCMP_ACT_ALLOW"}`, want: Profile},
		{text: `{"defaultActoin": "SCMP_ACT_ALLOW"}`, want: Profile},
		{text: `{"$schema": "x", "syscalls": []}`, want: Schema},
		{text: "kind: SeccompProfile\nspec: {}\n", want: Profile},
		{text: "apiVersion: v1\nkind: PodList\n", want: "a Kubernetes object of kind PodList"},
		{text: "kind: Pod\nspec: {}\n", want: "a Kubernetes object of kind Pod without apiVersion"},
		{text: "version: 1\n", want: Policy},
		{text: "version: 1\narchitectures: Auto\nabsent: RuntimeDefault\n", want: Policy},
		{text: "absent: RuntimeDefault\n", want: Policy},
		{text: "version: '3'\nservices: {}\n", want: Compose},
		{text: `{"ociVersion": "1.0.2", "linux": {}}`, want: Spec},
		{text: `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}}`, want: Spec},
		{text: "replicas: 3\n", want: Neither},
	} {
		if got := SortOf([]byte(tt.text)); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// What Batten ships is what it is.
func TestSortOfShipped(t *testing.T) {
	for pattern, want := range map[string]Sort{"policies/*.yaml": Policy, "policies/*.json": Profile, "schema/*.json": Schema} {
		files, err := filepath.Glob(filepath.Join("../../deploy", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files (%v)", pattern, len(files), err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := SortOf(data); got != want {
				t.Errorf("%s: %q, want %q", strings.TrimPrefix(name, "../../"), got, want)
			}
		}
	}
}
