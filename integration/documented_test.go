package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestDocumentedConfigurations has each daemon read the configurations that
// docs/guide/engines.md gives for it.
func TestDocumentedConfigurations(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(node.Root(), "docs/guide/engines.md"))
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
