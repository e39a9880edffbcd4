package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// The profile in the repository is what the pinned containerd has.
func TestProfileIsCurrent(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("not amd64, whose profile is generated")
	}
	out := filepath.Join(t.TempDir(), "zdefault.go")
	if err := run(out); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../zdefault_amd64.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("policy/profile/zdefault_amd64.go is out of date: run make generate")
	}
}
