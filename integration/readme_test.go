package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestReadmeConfigurations has each daemon read the configurations that the
// README gives for it.
func TestReadmeConfigurations(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(node.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)<!-- ([^>]*) -->\n```toml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	seen := 0
	for _, block := range blocks {
		for _, engine := range strings.Fields(block[1]) {
			node.Need(t, engine)
			file := filepath.Join(t.TempDir(), "config.toml")
			writeFile(t, file, block[2])
			out, err := node.Containerd(engine, "--config", file, "config", "dump").Output()
			if err != nil {
				t.Errorf("%s: %v", engine, err)
			}
			for _, want := range []string{"batten", "SystemdCgroup = true"} {
				if !strings.Contains(string(out), want) {
					t.Errorf("%s: %q is lost", engine, want)
				}
			}
			seen++
		}
	}
	if seen != 6 {
		t.Errorf("%d configurations, want 6", seen)
	}
}

// The tests that documents name are there.
func TestDocumentsNameTests(t *testing.T) {
	var sources strings.Builder
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "../*/*_test.go", "../policy/*/*_test.go", "../cmd/*/*_test.go", "../shim/*/*_test.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			sources.Write(read(t, file))
		}
	}
	for document, atLeast := range map[string]int{"../docs/threat-model.md": 20, "../docs/kubernetes.md": 6, "../docs/assurance.md": 20} {
		names := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`).FindAllString(string(read(t, document)), -1)
		if len(names) < atLeast {
			t.Errorf("%s names only %d tests", document, len(names))
		}
		for _, name := range names {
			if !strings.Contains(sources.String(), "func "+name+"(") {
				t.Errorf("%s names %s, which there is not", document, name)
			}
		}
	}
}
