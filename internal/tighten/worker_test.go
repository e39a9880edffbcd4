package tighten_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/internal/tighten"
	"golang.org/x/sys/unix"
)

func build(t testing.TB, source string, flags ...string) string {
	t.Helper()
	testneeds.Root(t, "ptrace(2) of filters")
	if err := tighten.Supported(); err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(source), ".c"))
	args := append(flags, "-O1", "-pthread", "-o", path, source)
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return path
}

// worker is a process that has said that it is ready.
type worker struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(t testing.TB, program string, env []string, args ...string) *worker {
	t.Helper()
	w := &worker{Cmd: exec.Command(program, args...)}
	w.Env, w.Stderr = env, os.Stderr
	w.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	in, err := w.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(-w.Process.Pid, unix.SIGKILL)
		_ = w.Wait()
	})
	w.in, w.out = in, bufio.NewReader(out)
	if line, err := w.out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return w
}

// finish lets it end, and returns what it says.
func (w *worker) finish(t *testing.T) []string {
	t.Helper()
	if _, err := io.WriteString(w.in, "x"); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(w.out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	slices.Sort(lines)
	return lines
}
