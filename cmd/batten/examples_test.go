package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// shown are the lines of a page on which a command stands by itself: indented, or in a console
// block behind a prompt.
var shown = regexp.MustCompile(`(?m)^(?: {4,}(?:# |\$ )?|# |\$ )((?:[\w./-]+ .*[|&] )?batten\b.*)$`)

// inText are commands in the middle of a sentence.
var inText = regexp.MustCompile("`(batten [a-z][^`]*)`")

// said is the prose that stands behind a command, in a column of its own.
var said = regexp.MustCompile(`\s{2,}[^\s#'"-].*$`)

// pagesOf are README, SECURITY and all pages that are written by hand.
func pagesOf(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"README.md", "SECURITY.md", "docs/*.md", "docs/guide/*.md", "docs/reference/*.md", "docs/evidence/*.md"} {
		found, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

// callsIn returns the words of each call of batten in a line of shell.
func callsIn(line string) (calls [][]string, err error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(line), "")
	if err != nil {
		return nil, err
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || err != nil {
			return true
		}
		var words []string
		if words, err = expand.Fields(&expand.Config{}, call.Args...); err == nil && len(words) > 1 && words[0] == "batten" {
			calls = append(calls, words[1:])
		}
		return true
	})
	return calls, err
}

// wrong returns why batten would not understand a call. Where it is only mentioned, its
// arguments may be left out.
func wrong(words []string, mentioned bool) error {
	root := newRoot()
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if cmd == root && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return unknownCommand(cmd, rest[0])
	}
	err = cmd.ParseFlags(rest)
	switch {
	case mentioned && err != nil && strings.HasPrefix(err.Error(), "flag needs an argument"):
		return nil
	case err != nil || mentioned:
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// TestExamplesOfPages: each command that a page shows is one that batten understands, with its
// flags and the number of its arguments; each that a sentence mentions, with its flags.
func TestExamplesOfPages(t *testing.T) {
	lines, mentions := 0, 0
	check := func(page, line string, mentioned bool) {
		calls, err := callsIn(line)
		if err != nil {
			t.Errorf("%s: %s: %v", page, line, err)
		}
		for _, words := range calls {
			if slices.Contains(words, "…") || strings.HasSuffix(line, "…") || strings.HasSuffix(line, "...") {
				continue
			}
			if err := wrong(words, mentioned); err != nil {
				t.Errorf("%s: batten %s: %v", page, strings.Join(words, " "), err)
			}
		}
	}
	for _, page := range pagesOf(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
			check(page, said.ReplaceAllString(m[1], ""), false)
			lines++
		}
		for _, m := range inText.FindAllStringSubmatch(string(text), -1) {
			check(page, strings.ReplaceAll(m[1], "\n", " "), true)
			mentions++
		}
	}
	t.Logf("%d commands shown, %d mentioned", lines, mentions)
	if lines < 60 || mentions < 60 {
		t.Errorf("only %d commands are found, and %d mentioned", lines, mentions)
	}
}

// TestWrong: what TestExamplesOfPages finds.
func TestWrong(t *testing.T) {
	for line, want := range map[string]string{
		"batten check && batten status --json":      "",
		"batten check --drfat new.yaml":             "unknown flag: --drfat",
		"batten chekc":                              `unknown command "chekc"; did you mean "check"?`,
		"batten prove":                              "an argument is missing",
		"cat x | batten explain --policy p -":       "",
		"batten block 'socket(AF_ALG)' > drop.yaml": "",
	} {
		calls, err := callsIn(line)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, words := range calls {
			if err := wrong(words, false); err != nil {
				got += err.Error()
			}
		}
		if len(calls) == 0 || got != want {
			t.Errorf("%s: %q in %d calls, want %q", line, got, len(calls), want)
		}
	}
}
