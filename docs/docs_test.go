// Package docs_test holds the documentation to the repository: links resolve, the
// index lists every page, and named tests and paths exist.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages returns README, SECURITY, CONTRIBUTING, CHANGELOG and every page below docs,
// by path from this directory.
func pages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 15 {
		t.Fatalf("only %d pages: %q", len(found), found)
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```")
	punct   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the fragments by which the code host links to the headings of text.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		found[strings.ReplaceAll(punct.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return found
}

// broken returns the relative links of the text of page that lead nowhere, and how
// many relative links there are.
func broken(t *testing.T, page, text string) (bad []string, links int) {
	t.Helper()
	for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		links++
		path, fragment, _ := strings.Cut(m[1], "#")
		target := filepath.Join(filepath.Dir(page), path)
		if path == "" {
			target = page
		}
		if _, err := os.Stat(target); err != nil {
			bad = append(bad, m[1])
			continue
		}
		if fragment != "" && !anchors(read(t, target))[fragment] {
			bad = append(bad, m[1])
		}
	}
	return bad, links
}

func TestLinksResolve(t *testing.T) {
	total := 0
	for _, page := range pages(t) {
		bad, links := broken(t, page, read(t, page))
		total += links
		for _, b := range bad {
			t.Errorf("%s: %s leads nowhere", page, b)
		}
	}
	if total < 40 {
		t.Errorf("only %d relative links found", total)
	}
	// The check itself finds a missing page and a missing heading.
	bad, _ := broken(t, "index.md", "[a](none.md) [b](index.md#none) [c](index.md) [d](#none)")
	if got, want := strings.Join(bad, " "), "none.md index.md#none #none"; got != want {
		t.Errorf("broken links: got %q, want %q", got, want)
	}
}

// The index has a link to each page. Pages that are generated, below reference/cli,
// are listed by a link to their directory or to a page in it.
func TestIndexListsEveryPage(t *testing.T) {
	index := read(t, "index.md")
	for _, page := range pages(t) {
		if strings.HasPrefix(page, "..") || page == "index.md" {
			continue
		}
		want := "](" + filepath.ToSlash(page) + ")"
		if strings.HasPrefix(page, "reference/cli/") {
			want = "](reference/cli/"
		}
		if !strings.Contains(index, want) {
			t.Errorf("index.md does not list %s", page)
		}
	}
}

// The tests that pages name exist.
func TestPagesNameTests(t *testing.T) {
	var sources strings.Builder
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && path != ".." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, "_test.go") {
			sources.WriteString(read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`)
	atLeast := map[string]int{
		"evidence/threat-model.md": 20,
		"evidence/assurance.md":    20,
		"guide/kubernetes.md":      6,
	}
	for _, page := range pages(t) {
		names := name.FindAllString(read(t, page), -1)
		if len(names) < atLeast[page] {
			t.Errorf("%s names only %d tests", page, len(names))
		}
		for _, n := range names {
			if !strings.Contains(sources.String(), "func "+n+"(") {
				t.Errorf("%s names %s, which does not exist", page, n)
			}
		}
		delete(atLeast, page)
	}
	for page := range atLeast {
		t.Errorf("%s is not there", page)
	}
}

// The make targets that pages tell people to run exist.
func TestPagesNameTargets(t *testing.T) {
	makefile := read(t, "../Makefile")
	command := regexp.MustCompile("(?m)(?:`|^    |^)make ([a-z-]+)")
	target := regexp.MustCompile(`(?m)^([a-z-]+):`)
	targets := map[string]bool{}
	for _, m := range target.FindAllStringSubmatch(makefile, -1) {
		targets[m[1]] = true
	}
	named := 0
	for _, page := range pages(t) {
		text := read(t, page)
		for _, at := range command.FindAllStringSubmatchIndex(text, -1) {
			name := text[at[2]:at[3]]
			if text[at[0]] == 'm' && !inFence(text, at[0]) {
				continue // a line of prose begins with the word
			}
			named++
			if !targets[name] {
				t.Errorf("%s: no target %q in the Makefile", page, "make "+name)
			}
		}
	}
	if named < 15 {
		t.Errorf("only %d targets are named", named)
	}
}

// inFence reports whether an offset of a page is in a fenced block.
func inFence(text string, at int) bool {
	for _, span := range fenced.FindAllStringIndex(text, -1) {
		if span[0] <= at && at < span[1] {
			return true
		}
	}
	return false
}
