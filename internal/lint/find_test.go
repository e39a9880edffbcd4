package lint_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/internal/lint"
)

// TestFind: links are followed, also round a loop, and each file is found once.
func TestFind(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"real", "d/sub", "d/.git", "mounted/..data", "empty"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"real/pod.yaml", "d/a.json", "d/P.YML", "d/text.txt", "d/.git/x.yaml", "mounted/..data/p.yaml"} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"d/sub/linked.yaml": "../../real/pod.yaml", "d/sub/loop": "..", "d/sub/nowhere.yaml": "gone.yaml",
		"mounted/p.yaml": "..data/p.yaml", "linked": "real",
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ names, want []string }{
		{names: []string{"d"}, want: []string{"d/P.YML", "d/a.json", "d/sub/linked.yaml", "d/sub/nowhere.yaml"}},
		{names: []string{"mounted"}, want: []string{"mounted/p.yaml"}},
		{names: []string{"linked"}, want: []string{"linked/pod.yaml"}},
		{names: []string{"real/pod.yaml", "./real/pod.yaml", "real", "linked"}, want: []string{"real/pod.yaml"}},
	} {
		found, err := lint.Find(tt.names)
		if err != nil {
			t.Errorf("%q: %v", tt.names, err)
		}
		var got []string
		for _, f := range found {
			got = append(got, filepath.ToSlash(f.Name))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: found %q, want %q", tt.names, got, tt.want)
		}
	}
	if _, err := lint.Find([]string{"empty"}); err == nil || err.Error() != `directory "empty" holds no file that ends with .json, .yaml, .yml` {
		t.Errorf("empty: %v", err)
	}
}
