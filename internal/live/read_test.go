package live_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/live"
	"golang.org/x/sys/unix"
)

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		state   string
		filters int
		after   string // the process's state
	}{
		{state: "sleeping", filters: 1, after: "S (sleeping)"},
		{state: "sleeping", filters: 0, after: "S (sleeping)"},
		{state: "sleeping", filters: 3, after: "S (sleeping)"},
		{state: "stopped", filters: 2, after: "T (stopped)"},
		{state: "vfork", filters: 1, after: "D (disk sleep)"},
		{state: "ended", filters: 1, after: "Z (zombie)"},
		{state: "traced", filters: 1, after: "S (sleeping)"},
	} {
		t.Run(fmt.Sprintf("%s with %d", tt.state, tt.filters), func(t *testing.T) {
			pid := start(t, tt.filters, tt.state).Process.Pid
			waitFor(t, func() bool { return status(t, pid, "State") == tt.after })
			tracer := "0"
			if tt.state == "traced" {
				tracer = strconv.Itoa(os.Getpid())
				seize(t, pid)
			}
			got, err := live.Read(pid, time.Second)
			if err != nil || len(got) != tt.filters {
				t.Fatalf("got %v (%v)", got, err)
			}
			for i, f := range got {
				if f.Flags != uint64(flags(i)) {
					t.Errorf("filter %d has the flags %#x, want %#x", i, f.Flags, flags(i))
				}
				if want := program(uint32(i)); !slices.Equal(f.Instructions, want) {
					t.Errorf("filter %d is %v, want %v", i, f.Instructions, want)
				}
			}
			if by := status(t, pid, "TracerPid"); (by == "0") != (tracer == "0") {
				t.Errorf("traced by %s, want %s", by, tracer)
			}
			waitFor(t, func() bool { return status(t, pid, "State") == tt.after })
		})
	}
}

// seize traces the first thread of a process until the test ends.
func seize(t *testing.T, pid int) {
	t.Helper()
	seized, done := make(chan syscall.Errno), make(chan struct{})
	go func() {
		runtime.LockOSThread() // and ends with the thread, which lets go
		_, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, 0, 0, 0)
		seized <- errno
		<-done
	}()
	t.Cleanup(func() { close(done) })
	if errno := <-seized; errno != 0 {
		t.Fatal(errno)
	}
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for range 200 {
		if what() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("waited for a second")
}

// A process of which no thread and no child stops is given up in time.
func TestReadGivesUp(t *testing.T) {
	cmd := start(t, 1, "sleeping")
	began := time.Now()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if _, err := live.Read(cmd.Process.Pid, 100*time.Millisecond); err == nil {
		t.Error("no error for a process that has ended")
	}
	if _, err := live.Read(os.Getpid(), 100*time.Millisecond); err == nil {
		t.Log("this process stopped for its own tracer")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

// Who waits for any child, as a shim does, hears nothing of the stops, and nothing of
// the tracers.
func TestReadIsNotHeardOf(t *testing.T) {
	pid := start(t, 1, "sleeping").Process.Pid
	done, heard := make(chan struct{}), make(chan string)
	go func() {
		for {
			select {
			case <-done:
				heard <- ""
				return
			default:
			}
			var ws unix.WaitStatus
			if got, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil); err == nil && got > 0 {
				heard <- fmt.Sprintf("process %d: %#x", got, uint32(ws))
				return
			}
		}
	}()
	for range 100 {
		if _, err := live.Read(pid, time.Second); err != nil && !errors.Is(err, live.ErrRuns) {
			t.Fatal(err)
		}
	}
	close(done)
	if got := <-heard; got != "" {
		t.Error(got)
	}
}

func BenchmarkRead(b *testing.B) {
	pid := start(b, 1, "sleeping").Process.Pid
	for b.Loop() {
		if _, err := live.Read(pid, time.Second); err != nil {
			b.Fatal(err)
		}
	}
}

// Signals that arrive while the filters of a process are read reach it. The program is
// policy/filter's: it counts real-time signals, which the kernel queues, and prints how
// many it had when it gets SIGTERM.
func TestReadKeepsSignals(t *testing.T) {
	const signals, sigRTMin = 2000, 34 // glibc's SIGRTMIN
	path := filepath.Join(t.TempDir(), "still")
	if out, err := exec.Command("gcc", "-O1", "-pthread", "-o", path, "../../policy/filter/testdata/still.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	cmd := exec.Command(path, "count")
	cmd.Env = []string{"FILTERED=1"}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range signals {
			_ = unix.Kill(pid, unix.Signal(sigRTMin))
			time.Sleep(20 * time.Microsecond)
		}
	}()
	reads := 0
	for going := true; going; reads++ {
		select {
		case <-done:
			going = false
		default:
		}
		if _, err := live.Read(pid, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	for range 2 {
		_ = unix.Kill(pid, unix.SIGTERM)
		time.Sleep(20 * time.Millisecond)
	}
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(line); got != fmt.Sprint(signals) {
		t.Errorf("%s of %d signals came through %d reads", got, signals, reads)
	}
}
