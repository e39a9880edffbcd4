package lint

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
)

// Each finding of lint is in its reference.
func TestLintIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(IDs())) {
		if !strings.Contains(string(text), "`"+id+"`") {
			t.Errorf("docs/reference/findings.md does not say what %s is", id)
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
		for _, f := range second(CheckProfile(file, data, reader.AsWritten)) {
			if id := ID(f); id == "not-a-profile" || id == "not-compiled" {
				t.Errorf("%s [%s]", f, id)
			}
			t.Log(f)
		}
	}
}

func second[A, B any](_ A, b B) B { return b }

func parsed(t *testing.T, file string, data []byte) *profile.Profile {
	t.Helper()
	p, findings := profile.ParseWrapped(file, data)
	if p == nil {
		t.Fatal(findings)
	}
	return p
}

// What high bits pass in real profiles is mended whole, and what comes of it compiles.
func TestLintCorpusHighBits(t *testing.T) {
	files, err := filepath.Glob("../../policy/profile/testdata/corpus/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("CORPUS"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var edits []manifest.Edit
		for _, f := range highBits(parsed(t, file, data), data) {
			t.Log(f.Finding)
			edits = append(edits, f.Edits...)
		}
		if len(edits) == 0 {
			continue
		}
		fixed, err := manifest.Apply(data, edits)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, f := range highBits(parsed(t, file, fixed), fixed) {
			t.Errorf("mended: %s", f.Finding)
		}
		for _, f := range second(CheckProfile(file, fixed, reader.AsWritten)).Errors() {
			t.Errorf("mended: %s", f)
		}
	}
}
