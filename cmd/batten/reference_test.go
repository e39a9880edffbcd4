package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// docs/reference/cli has a page of each command, as the command tree makes it. -update
// writes them.
func TestReference(t *testing.T) {
	const dir = "../../docs/reference/cli"
	root := newRoot()
	want := map[string]string{}
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		if c != root && !c.IsAvailableCommand() {
			continue
		}
		var out bytes.Buffer
		if err := referencePage(&out, c); err != nil {
			t.Fatal(err)
		}
		want[strings.ReplaceAll(c.CommandPath(), " ", "_")+".md"] = out.String()
	}
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			writeText(t, filepath.Join(dir, name), text)
		}
	}
	have, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(have) != len(want) {
		t.Errorf("%s has %d pages, want %d, %v", dir, len(have), len(want), err)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != want[name] {
			t.Errorf("%s is not what go test ./cmd/batten -update makes it, %v", name, err)
		}
	}
}

// Each command says what it is for, how it is called, and when it exits with 1.
func TestEveryCommandIsDescribed(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.Name() == "version" || c.Name() == "help" {
			continue
		}
		if c.Long == "" || !strings.Contains(c.Example, "batten "+c.Name()) {
			t.Errorf("batten %s has no description, or no example", c.Name())
		}
		for line := range strings.Lines(c.Long + "\n" + c.Example) {
			if len(line) > 90 {
				t.Errorf("batten %s: a line of %d letters: %s", c.Name(), len(line), line)
			}
		}
	}
}

// What a page must have: the sections that man-pages(7) names.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if err := writePages(newRoot(), dir); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(pages) < 20 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		sections := []string{"NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"}
		switch name := filepath.Base(page); name {
		case "batten-policy.5":
			sections = append(sections, "FILES", "EXAMPLES")
		case "batten-version.8":
			sections = append(sections, "EXIT STATUS")
		case "batten.8":
			sections = append(sections, "COMMANDS", "EXIT STATUS", "FILES")
		case "batten-runc.8", "containerd-shim-batten-v2.8":
			sections = append(sections, "EXIT STATUS", "FILES", "EXAMPLES")
		default:
			sections = append(sections, "OPTIONS", "EXIT STATUS", "EXAMPLES")
		}
		for _, s := range sections {
			if !strings.Contains(string(text), "\n.SH "+s+"\n") {
				t.Errorf("%s has no section %s", filepath.Base(page), s)
			}
		}
		if bytes.Contains(text, []byte("Jan 0001")) {
			t.Errorf("%s has a date", filepath.Base(page))
		}
	}
}

// Each key of the policy's reference is in batten-policy(5).
func TestPolicyPage(t *testing.T) {
	reference, err := os.ReadFile("../../docs/reference/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := pageTexts.ReadFile("pages/batten-policy.5.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|").FindAllStringSubmatch(string(reference), -1)
	if len(keys) < 20 {
		t.Fatalf("only %d keys: %q", len(keys), keys)
	}
	for _, key := range keys {
		if !strings.Contains(string(page), "**"+key[1]+"**") {
			t.Errorf("batten-policy(5) does not say what %s is", key[1])
		}
	}
}
