package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The paths in the tables of design.md exist, and "Where is …?" has its twenty.
func TestDesignNamesPaths(t *testing.T) {
	_, table, found := strings.Cut(read(t, "design.md"), "## Where is …?")
	if !found {
		t.Fatal("design.md has no section \"Where is …?\"")
	}
	var answers [][]string // the paths of a line, each with what was found
	path := regexp.MustCompile("`([^`]+)`")
	for _, m := range regexp.MustCompile(`(?m)^\| [^|]+\? \| (.+) \|$`).FindAllStringSubmatch(table, -1) {
		answers = append(answers, path.FindAllStringSubmatch(m[1], -1)...)
	}
	if lines := strings.Count(table, "? |"); lines == 0 || len(answers) < lines {
		t.Errorf("%d paths for %d questions", len(answers), lines)
	}
	if len(answers) < 20 {
		t.Errorf("only %d questions are answered", len(answers))
	}
	parts := regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\| ").FindAllStringSubmatch(read(t, "design.md"), -1)
	if len(parts) < 8 {
		t.Errorf("only %d folders are named", len(parts))
	}
	for _, m := range append(answers, parts...) {
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Errorf("design.md names %s, which does not exist", m[1])
		}
	}
}

// The pages that code, scripts and help texts name by their path exist.
func TestSourcesNamePages(t *testing.T) {
	page := regexp.MustCompile(`\bdocs/[a-z/_-]+\.md\b`)
	named := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "dist") && path != "../tools/dist" {
			return fs.SkipDir
		}
		switch filepath.Ext(path) {
		case ".go", ".sh", ".yaml", ".txtar", ".md", "":
		default:
			return err
		}
		if err != nil || d.IsDir() {
			return err
		}
		for _, name := range page.FindAllString(read(t, path), -1) {
			named++
			if _, err := os.Stat(filepath.Join("..", name)); err != nil {
				t.Errorf("%s names %s, which does not exist", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if named < 20 {
		t.Errorf("only %d pages are named", named)
	}
}
