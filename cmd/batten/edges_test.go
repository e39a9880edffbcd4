package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every subcommand explains itself, and says of a flag that it does not know how
// it is used. Nothing is ever coloured, whatever the terminal.
func TestEverySubcommand(t *testing.T) {
	for _, c := range commands() {
		var stdout, stderr bytes.Buffer
		if status := run([]string{c.name, "-h"}, nil, &stdout, &stderr); status != exitFine || !strings.HasPrefix(stdout.String(), "usage: batten "+c.name) {
			t.Errorf("%s -h: exit %d, %s%s", c.name, status, stdout.String(), stderr.String())
		}
		if strings.Contains(stdout.String(), "\x1b") {
			t.Errorf("%s -h is coloured: %q", c.name, stdout.String())
		}
		stdout.Reset()
		want := "batten: " + c.name + ": flag provided but not defined: -nonsense\nhint: batten " + c.name + " -h says how it is used\n"
		if status := run([]string{c.name, "--nonsense"}, nil, &stdout, &stderr); status != exitUsage || stderr.String() != want || stdout.Len() > 0 {
			t.Errorf("%s --nonsense: exit %d, got %s%s", c.name, status, stdout.String(), stderr.String())
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
		if out := stdout.String() + stderr.String(); status != exitNo || !strings.Contains(out, dir) {
			t.Errorf("batten %q: exit %d, %s", args, status, out)
		}
	}
}
