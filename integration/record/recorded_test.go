package record

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/recording"
)

// command is batten record or replay at work.
type command struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer
	lines  chan string
	mu     sync.Mutex
	said   strings.Builder
}

// begin starts a command of batten that records, and waits until it does.
func begin(t *testing.T, n *node.Node, args ...string) *command {
	t.Helper()
	c := &command{t: t, cmd: n.Command(append([]string{"batten"}, args...)...), lines: make(chan string, 1000)}
	c.cmd.Stdout = &c.stdout
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	go func() {
		defer close(c.lines)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			c.mu.Lock()
			fmt.Fprintln(&c.said, lines.Text())
			c.mu.Unlock()
			c.lines <- lines.Text()
		}
	}()
	c.await("recording")
	return c
}

// stderr is what the command has said until now.
func (c *command) stderr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.String()
}

// await waits for a line that contains a text.
func (c *command) await(text string) {
	c.t.Helper()
	for late := time.After(20 * time.Second); ; {
		select {
		case line, ok := <-c.lines:
			if !ok {
				c.t.Fatalf("batten ended before it said %q:\n%s", text, c.stderr())
			}
			if strings.Contains(line, text) {
				return
			}
		case <-late:
			c.t.Fatalf("batten does not say %q:\n%s", text, c.stderr())
		}
	}
}

// interrupt ends the recording.
func (c *command) interrupt() {
	c.t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGINT); err != nil {
		c.t.Fatal(err)
	}
}

// end waits for the command, and returns its exit status.
func (c *command) end() int {
	c.t.Helper()
	for range c.lines {
	}
	_ = c.cmd.Wait() // the status says it
	return c.cmd.ProcessState.ExitCode()
}

// read reads a recording that a command wrote.
func read(t *testing.T, path string) *recording.Recording {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := recording.Read(path, data)
	if err != nil {
		t.Fatal(err)
	}
	if r.Lost.Any() {
		t.Errorf("lost: %+v", r.Lost)
	}
	return r
}

// names are the calls of a recording, with their architecture where that is not the machine's.
func names(r *recording.Recording) map[string]bool {
	out := make(map[string]bool)
	for _, c := range r.Containers {
		for _, call := range c.Calls {
			out[nameOf(string(call.Arch), call.Name, call.Nr)] = true
		}
	}
	return out
}

func nameOf(arch, name string, nr int) string {
	if name == "" {
		name = fmt.Sprint(nr)
	}
	if arch == "SCMP_ARCH_X86_64" {
		return name
	}
	return strings.ToLower(strings.TrimPrefix(arch, "SCMP_ARCH_")) + " " + name
}

// id makes an id that no other container has.
func id(t *testing.T, n int) string {
	return fmt.Sprintf("%s-%d-%d", strings.ToLower(filepath.Base(t.Name()[:4])), os.Getpid(), n)
}
