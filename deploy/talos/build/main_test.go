package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestBuild: the archive names the image and its architecture; without a policy there is none.
func TestBuild(t *testing.T) {
	dir := t.TempDir()
	shim, out := filepath.Join(dir, "shim"), filepath.Join(dir, "talos.tar")
	if err := os.WriteFile(shim, []byte("\x7fELF"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := build("arm64", true, []string{"example.test/batten-talos:1", out, shim, "1.2.3", "../../kubernetes/base"}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"example.test/batten-talos:1", `"architecture":"arm64"`, "manifest.yaml", "default_runtime_name"} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("the archive lacks %s", want)
		}
	}
	missing := filepath.Join(dir, "none.tar")
	if err := build("amd64", false, []string{"x", missing, shim, "1", dir}); err == nil {
		t.Error("a policy that there is not is taken")
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("an extension without it was written")
	}
}
