package filter_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/policy/filter"
	"golang.org/x/sys/unix"
)

// stillProgram builds testdata/still.c.
func stillProgram(t *testing.T) string {
	t.Helper()
	testneeds.Root(t, "ptrace(2) of filters")
	path := filepath.Join(t.TempDir(), "still")
	if out, err := exec.Command("gcc", "-O1", "-pthread", "-o", path, "testdata/still.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return path
}

// still starts a filtered process that does as it is told, and waits until it does.
func still(t *testing.T, program string, args ...string) (pid int, output *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"FILTERED=1"}
	// A child that sits in vfork is of its process group.
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		_ = cmd.Wait()
	})
	output = bufio.NewReader(out)
	if line, err := output.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd.Process.Pid, output
}

func stateOf(t *testing.T, pid int) (state, tracer string) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if s, ok := strings.CutPrefix(line, "State:\t"); ok {
			state = s[:1]
		}
		if s, ok := strings.CutPrefix(line, "TracerPid:\t"); ok {
			tracer = strings.TrimSpace(s)
		}
	}
	return state, tracer
}

// wantState waits for a process to be in a state, traced by nobody.
func wantState(t *testing.T, pid int, want string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		state, tracer := stateOf(t, pid)
		if state == want && tracer == "0" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d is in state %s and traced by %s, want %s and 0", pid, state, tracer, want)
		}
	}
}

func wantOneFilter(t *testing.T, pid int) {
	t.Helper()
	stack, err := filter.Live(pid)
	if err != nil || len(stack) != 1 || len(stack[0].Instructions) != 4 {
		t.Fatalf("%v, %v, want one filter of 4 instructions", stack, err)
	}
}

// wantNotStopping is that Live gives up in time, and says why.
func wantNotStopping(t *testing.T, pid int, want string) {
	t.Helper()
	began := time.Now()
	_, err := filter.Live(pid)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Live took %v", took)
	}
	var no *filter.NotStopping
	if !errors.As(err, &no) || err.Error() != want {
		t.Fatalf("%v, want %s", err, want)
	}
}

func TestLive(t *testing.T) {
	program := stillProgram(t)
	t.Run("sleeps", func(t *testing.T) {
		pid, _ := still(t, program, "sleep")
		wantOneFilter(t, pid)
		wantState(t, pid, "S")
	})
	t.Run("stopped by a signal, and stays so", func(t *testing.T) {
		pid, _ := still(t, program, "sleep")
		if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		wantState(t, pid, "T")
		wantOneFilter(t, pid)
		wantState(t, pid, "T")
	})
	t.Run("in vfork", func(t *testing.T) {
		pid, _ := still(t, program, "vfork")
		wantState(t, pid, "D")
		wantNotStopping(t, pid, fmt.Sprintf("process %d does not stop (state D (disk sleep))", pid))
		wantState(t, pid, "D")
	})
	t.Run("in vfork, and another thread is not", func(t *testing.T) {
		pid, _ := still(t, program, "thread")
		wantState(t, pid, "D")
		wantOneFilter(t, pid)
		wantState(t, pid, "D")
	})
	t.Run("the first thread has ended", func(t *testing.T) {
		pid, _ := still(t, program, "leader")
		wantState(t, pid, "Z")
		wantOneFilter(t, pid)
	})
	t.Run("traced", func(t *testing.T) {
		pid, _ := still(t, program, "sleep")
		by, _ := still(t, program, "trace", fmt.Sprint(pid))
		wantNotStopping(t, pid, fmt.Sprintf("process %d does not stop: process %d traces it", pid, by))
	})
	t.Run("gone", func(t *testing.T) {
		_, err := filter.Live(1 << 22)
		if want := "process 4194304 cannot be traced: no such process"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
	t.Run("frozen", func(t *testing.T) {
		pid, _ := still(t, program, "sleep")
		thaw := freeze(t, pid)
		wantState(t, pid, "D")
		wantNotStopping(t, pid, fmt.Sprintf("process %d does not stop (state D (disk sleep))", pid))
		thaw()
		wantState(t, pid, "S")
		wantOneFilter(t, pid)
	})
}

// freeze puts a process into a cgroup of the test's own and freezes that, by
// cgroup v1, under which it cannot be traced.
func freeze(t *testing.T, pid int) (thaw func()) {
	t.Helper()
	dir, err := os.MkdirTemp("/sys/fs/cgroup/freezer", "batten-live-")
	if err != nil {
		if os.Getenv("REQUIRE_INTEGRATION") == "1" {
			t.Fatal(err)
		}
		t.Skip("no freezer of cgroup v1: ", err)
	}
	write := func(file, text string) {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0); err != nil {
			t.Error(err)
		}
	}
	thaw = func() { write("freezer.state", "THAWED") }
	t.Cleanup(func() {
		thaw()
		_ = unix.Kill(-pid, unix.SIGKILL)
		for tries := 0; os.Remove(dir) != nil && tries < 100; tries++ {
			time.Sleep(10 * time.Millisecond)
		}
	})
	write("cgroup.procs", fmt.Sprint(pid))
	write("freezer.state", "FROZEN")
	return thaw
}
