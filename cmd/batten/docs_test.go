package main

import (
	"maps"
	"os"
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
