package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A repository with one release of either kind: a name counts from the release on that has
// it on all architectures.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	do := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@x"}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	do("init", "-q")
	for _, arch := range arches {
		half := `{ "half", 2 },`
		if arch == "arm" {
			half = `{ "half", __PNR_half },`
		}
		write("src/arch-"+arch+"-syscalls.c", `{ "read", 1 }, `+half+"\n")
	}
	do("add", ".")
	do("commit", "-qm", "old")
	do("tag", oldest)
	write("src/syscalls.csv", "#syscall (x),x86,x86_64,aarch64,arm\nread,1,1,1,1\nhalf,2,2,2,2\nnew,3,3,3,PNR\n")
	do("add", ".")
	do("commit", "-qm", "new")
	do("tag", "v2.5.0")
	out := filepath.Join(t.TempDir(), "z.go")
	if err := run(dir, out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"2.3.0", "read"},`, `{"2.5.0", "half new"},`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
}
