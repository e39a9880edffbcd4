package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each finding of lint is in its reference.
func TestLintIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/lint.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(lintIDs())) {
		if !strings.Contains(string(text), "`"+id+"`") {
			t.Errorf("docs/lint.md does not say what %s is", id)
		}
	}
}

// Real profiles, and with CORPUS=dir those of a directory, are read and compiled:
// lint has something to say of their meaning, never that they are none.
func TestLintCorpus(t *testing.T) {
	files, err := filepath.Glob("../../policy/profile/testdata/corpus/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	if dir := os.Getenv("CORPUS"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(more) == 0 {
			t.Fatalf("%q, %v", more, err)
		}
		files = append(files, more...)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range lintProfile(file, data) {
			if id := idOf(f); id == "not-a-profile" || id == "not-compiled" {
				t.Errorf("%s [%s]", f, id)
			}
			t.Log(f)
		}
	}
}
