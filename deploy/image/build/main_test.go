package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestBuild: the archive names the image, its binary and what it starts; without the
// binary there is none.
func TestBuild(t *testing.T) {
	dir := t.TempDir()
	binary, out := filepath.Join(dir, "batten"), filepath.Join(dir, "image.tar")
	if err := os.WriteFile(binary, []byte("\x7fELF"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := build("example.test/batten:1", out, []string{binary}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"example.test/batten:1", "usr/local/bin/batten", `"Entrypoint":["/usr/local/bin/batten"],"Cmd":["daemonset"]`} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("the archive lacks %s", want)
		}
	}
	missing := filepath.Join(dir, "none.tar")
	if err := build("example.test/batten:1", missing, []string{binary, filepath.Join(dir, "none")}); err == nil {
		t.Error("a binary that there is not is taken")
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("an image without it was written")
	}
}
