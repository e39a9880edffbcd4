package denials_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// enosr is an errno that the kernel itself has for none of these calls.
const enosr = uint(unix.ENOSR)

// denying is the profile of these tests.
func denying() specs.LinuxSeccomp {
	errno := enosr
	return specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{
			{Names: []string{"getppid", "keyctl"}, Action: specs.ActErrno},
			{Names: []string{"getpgid"}, Action: specs.ActErrno, ErrnoRet: &errno},
			{Names: []string{"personality"}, Action: specs.ActErrno, ErrnoRet: &errno, Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpGreaterThan, Value: 8}}},
		},
	}
}

// watched is a listener, and the children that are to be under its filter.
type watched struct {
	*denials.Listener
	t       testing.TB
	request denials.Request
	filter  string
	warned  []error
	lines   []denials.Line
	mu      sync.Mutex // guards warned and lines
}

var (
	childOnce sync.Once
	childPath string
	childErr  string
)

// child returns the path of testdata/child.c's program.
func child(t testing.TB) string {
	t.Helper()
	testneeds.Arch(t, "amd64", "the profile of the tests names calls of x86")
	testneeds.Root(t, "only root may connect to a listener")
	childOnce.Do(func() {
		dir, err := os.MkdirTemp("", "denials-child")
		if err != nil {
			childErr = err.Error()
			return
		}
		childPath = filepath.Join(dir, "child")
		if out, err := exec.Command("gcc", "-O1", "-pthread", "-o", childPath, "testdata/child.c").CombinedOutput(); err != nil {
			childErr = err.Error() + "\n" + string(out)
		}
	})
	if childErr != "" {
		t.Fatal(childErr)
	}
	return childPath
}

func TestMain(m *testing.M) {
	code := m.Run()
	if childPath != "" {
		os.RemoveAll(filepath.Dir(childPath))
	}
	os.Exit(code)
}

// watch listens for the profile. edit may change the request.
func watch(t testing.TB, letThrough bool, edit func(*denials.Request)) *watched {
	t.Helper()
	child(t)
	w := &watched{t: t}
	dir, err := os.MkdirTemp("", "denials") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	mode := observe.Count
	if letThrough {
		mode = observe.Audit
	}
	path := filepath.Join(dir, "s", "listener.sock")
	observed, err := observe.Profile(observe.Request{Seccomp: denying(), Mode: mode, ListenerPath: path})
	if err != nil {
		t.Fatal(err)
	}
	program, err := filter.Compile(&observed.Seccomp)
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := binary.Write(&raw, binary.NativeEndian, program.Instructions); err != nil {
		t.Fatal(err)
	}
	w.filter = filepath.Join(dir, "filter")
	if err := os.WriteFile(w.filter, raw.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.request = denials.Request{
		Path: path, Judge: observed, LetThrough: letThrough, Store: denials.Store{Dir: filepath.Join(dir, "records")}, Owner: "o", ID: "c",
		From: denials.Origin{Rule: "r"},
		Log:  func(l denials.Line) { w.mu.Lock(); defer w.mu.Unlock(); w.lines = append(w.lines, l) },
		Warn: func(err error) { w.mu.Lock(); defer w.mu.Unlock(); w.warned = append(w.warned, err) },
	}
	if edit != nil {
		edit(&w.request)
	}
	if w.Listener, err = denials.Listen(w.request); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// command returns the command of a child.
func (w *watched) command(args ...string) *exec.Cmd {
	cmd := exec.Command(childPath, append([]string{w.request.Path, w.filter}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd
}

// begin starts a child. It is killed at the end, if it still runs.
func (w *watched) begin(cmd *exec.Cmd) {
	w.t.Helper()
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_, _ = cmd.Process.Kill(), cmd.Wait()
		}
	})
}

// start starts a child that writes to out.
func (w *watched) start(out *bytes.Buffer, args ...string) *exec.Cmd {
	w.t.Helper()
	cmd := w.command(args...)
	cmd.Stdout = out
	w.begin(cmd)
	return cmd
}

// run runs a child and returns what it printed, as numbers.
func (w *watched) run(args ...string) []int {
	w.t.Helper()
	var out bytes.Buffer
	cmd := w.start(&out, args...)
	timer := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		w.t.Fatalf("child %q: %v", args, err)
	}
	var numbers []int
	for _, f := range strings.Fields(out.String()) {
		numbers = append(numbers, number(w.t, f))
	}
	return numbers
}

// outcome is what a judge answers.
type outcome = semantics.Outcome

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func nr(n int) string { return strconv.Itoa(n) }
