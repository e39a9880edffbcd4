package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The table in the repository is what the generator makes of the pinned x/sys.
func TestTableIsCurrent(t *testing.T) {
	out := filepath.Join(t.TempDir(), "zsyscalls.go")
	if err := run(out); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../zsyscalls.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("policy/syscalls/zsyscalls.go is out of date: run make generate")
	}
}
