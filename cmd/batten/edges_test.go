package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every subcommand explains itself, and says of a flag that it does not know how
// it is used. Nothing is ever coloured, whatever the terminal.
func TestEverySubcommand(t *testing.T) {
	for _, c := range newRoot().Commands() {
		name := c.Name()
		var stdout, stderr bytes.Buffer
		if status := run([]string{name, "-h"}, nil, &stdout, &stderr); status != exitFine || !strings.HasPrefix(stdout.String(), "usage: batten "+name) {
			t.Errorf("%s -h: exit %d, %s%s", name, status, stdout.String(), stderr.String())
		}
		if strings.Contains(stdout.String(), "\x1b") {
			t.Errorf("%s -h is coloured: %q", name, stdout.String())
		}
		help := stdout.String()
		stdout.Reset()
		if status := run([]string{"help", name}, nil, &stdout, &stderr); status != exitFine || stdout.String() != help {
			t.Errorf("help %s: exit %d, got\n%s%swant\n%s", name, status, stdout.String(), stderr.String(), help)
		}
		stdout.Reset()
		want := "batten: " + name + ": unknown flag --nonsense\nhint: batten " + name + " -h says how it is used\n"
		if status := run([]string{name, "--nonsense"}, nil, &stdout, &stderr); status != exitUsage || stderr.String() != want || stdout.Len() > 0 {
			t.Errorf("%s --nonsense: exit %d, got %s%s", name, status, stdout.String(), stderr.String())
		}
	}
}

// Wrong flags and words are named in batten's words, with the nearest right one.
func TestUsageErrors(t *testing.T) {
	const checkHint = "hint: batten check -h says how it is used\n"
	const rootHint = "hint: batten help lists the commands\n"
	for _, tt := range []struct{ args, want string }{
		{args: "chekc", want: "batten: unknown command \"chekc\"; did you mean \"check\"?\n" + rootHint},
		{args: "validate", want: "batten: unknown command \"validate\"; did you mean \"check\"?\n" + rootHint},
		{args: "chekc -h", want: "batten: unknown command \"chekc\"; did you mean \"check\"?\n" + rootHint},
		{args: "create --bundle dir --force", want: "batten: unknown command \"create\"\n" + rootHint}, // an engine takes it for a runtime
		{args: "nonsense", want: "batten: unknown command \"nonsense\"\n" + rootHint},
		{args: "--versoin", want: "batten: unknown flag --versoin; did you mean \"--version\"?\n" + rootHint},
		{args: "help chekc", want: "batten: help: unknown command \"chekc\"; did you mean \"check\"?\nhint: batten help -h says how it is used\n"},
		{args: "check --darft", want: "batten: check: unknown flag --darft; did you mean \"--draft\"?\n" + checkHint},
		{args: "check -draft", want: "batten: check: unknown flag -draft; did you mean --draft, with two dashes?\n" + checkHint},
		{args: "check -draft=true", want: "batten: check: unknown flag -draft; did you mean --draft, with two dashes?\n" + checkHint},
		{args: "lint -handler x y", want: "batten: lint: unknown flag -handler; did you mean --handler, with two dashes?\nhint: batten lint -h says how it is used\n"},
		{args: "check -x", want: "batten: check: unknown flag -x\n" + checkHint},
		{args: "check --oci-runtime", want: "batten: check: --oci-runtime needs a value\n" + checkHint},
		{args: "check --draft=maybe", want: "batten: check: --draft is true or false, not \"maybe\"\n" + checkHint},
		{args: "check a b", want: "batten: check: unexpected argument \"b\"\n" + checkHint},
		{args: "floor a", want: "batten: floor: an argument is missing\nhint: batten floor -h says how it is used\n"},
	} {
		var stdout, stderr bytes.Buffer
		status := run(strings.Fields(tt.args), nil, &stdout, &stderr)
		if status != exitUsage || stdout.Len() > 0 || stderr.String() != tt.want {
			t.Errorf("batten %s: exit %d, %s\ngot  %swant %s", tt.args, status, stdout.String(), stderr.String(), tt.want)
		}
	}
}

// A reader that goes away ends batten as it ends any program of a pipe: quietly.
func TestBrokenPipe(t *testing.T) {
	dir := t.TempDir()
	policy := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(policy, []byte("version: 1\nnonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	batten, err := exec.LookPath("batten") // as testscript.Main has it
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"help", "check --draft " + policy, "completion bash", "man lint", "explain -h", "floor RuntimeDefault RuntimeDefault"} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read.Close()
		var stderr bytes.Buffer
		cmd := exec.Command(batten, strings.Fields(command)...)
		cmd.Stdout, cmd.Stderr = write, &stderr
		err = cmd.Run()
		write.Close()
		if err == nil || err.Error() != "signal: broken pipe" || strings.Contains(stderr.String(), "goroutine") {
			t.Errorf("batten %s: %v: %s", command, err, stderr.String())
		}
	}
}

// A file that cannot be read is named, with the reason.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"check", dir},
		{"explain", dir},
		{"lint", dir},
		{"floor", dir, dir},
		{"diff", dir, dir},
		{"prove", "--floor", dir, dir},
		{"compile", dir},
		{"status", "--proc", filepath.Join(dir, "none")},
	} {
		var stdout, stderr bytes.Buffer
		status := run(args, nil, &stdout, &stderr)
		want := exitNo
		if args[0] == "status" { // the machine does not let Batten look
			want = exitInternal
		}
		if out := stdout.String() + stderr.String(); status != want || !strings.Contains(out, dir) {
			t.Errorf("batten %q: exit %d, %s", args, status, out)
		}
	}
}

// A floor that takes too much work is the input's fault, not an internal error.
func TestFloorTakesTooLong(t *testing.T) {
	var rules []string
	for n := range 700 {
		rules = append(rules, fmt.Sprintf(`{"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[`+
			`{"index":0,"value":%d,"op":"SCMP_CMP_NE"},{"index":1,"value":%d,"op":"SCMP_CMP_GT"},{"index":2,"value":%d,"op":"SCMP_CMP_LT"}]}`, 2*n+1, 3*n, 5*n))
	}
	file := filepath.Join(t.TempDir(), "floor.json")
	writeText(t, file, `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[`+strings.Join(rules, ",")+"]}")
	var out, errs strings.Builder
	exit := run([]string{"floor", file, "RuntimeDefault"}, strings.NewReader(""), &out, &errs)
	if want := "take more than the 250000 steps"; exit != exitNo || !strings.Contains(errs.String(), want) {
		t.Errorf("exit status %d, want %d and %q:\n%s", exit, exitNo, want, errs.String())
	}
}
