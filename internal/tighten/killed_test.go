package tighten_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/tighten"
	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// TestMain makes the test binary a tracer: TIGHTEN are the processes that it tightens again and
// again, each time by another filter.
func TestMain(m *testing.M) {
	pids := strings.Fields(os.Getenv("TIGHTEN"))
	if len(pids) == 0 {
		os.Exit(m.Run())
	}
	for n := uint32(0); ; n++ {
		for _, pid := range pids {
			id, _ := strconv.Atoi(pid)
			_, _ = tighten.Process(id, tighten.Filter{Instructions: []bpf.Instruction{
				{Code: bpf.Load, K: 0},
				{Code: bpf.IfEqual, K: 1<<20 + n, Jf: 1}, // which is no call
				{Code: bpf.Return, K: unix.SECCOMP_RET_ERRNO},
				{Code: bpf.Return, K: unix.SECCOMP_RET_ALLOW},
			}}, limit)
			if n == 0 {
				_, _ = os.Stdout.WriteString("x")
			}
		}
	}
}

// ended returns the signal that a process was killed by, or 0 while it runs.
func (w *worker) ended(t *testing.T) unix.Signal {
	t.Helper()
	var status unix.WaitStatus
	got, err := unix.Wait4(w.Process.Pid, &status, unix.WNOHANG, nil)
	switch {
	case err != nil:
		t.Fatal(err)
	case got == 0:
		return 0
	case !status.Signaled():
		t.Fatalf("it has ended by itself: %v", status)
	}
	return status.Signal()
}

// waited waits until the process has ended, and returns the signal that killed it.
func (w *worker) waited(t *testing.T) (signal unix.Signal) {
	t.Helper()
	for signal == 0 {
		time.Sleep(time.Millisecond)
		signal = w.ended(t)
	}
	return signal
}

// finishUnlessKilled lets the process end, and checks what it says, unless it was killed just now:
// the signal is on its way when its tracer is gone. It returns the signal.
func (w *worker) finishUnlessKilled(t *testing.T, what []string) unix.Signal {
	t.Helper()
	_, _ = io.WriteString(w.in, "x")
	data, _ := io.ReadAll(w.out)
	got := strings.Split(strings.TrimSpace(string(data)), "\n")
	if slices.Sort(got); slices.Equal(got, said(unix.EOPNOTSUPP, what...)) {
		return 0
	}
	if string(data) != "" {
		t.Fatalf("it goes on as\n%s", data)
	}
	return w.waited(t)
}

// TestKilled: whenever the tracer is killed, a process goes on unharmed, or was killed with it. KILLS
// are the moments.
func TestKilled(t *testing.T) {
	program := build(t, "testdata/worker.c")
	what := []string{"spin", "read", "poll"}
	workers := []*worker{start(t, program, nil, what...), start(t, program, []string{"TRY=1"}, what...)}
	kills, _ := strconv.Atoi(os.Getenv("KILLS"))
	kills = max(kills, 100)
	killed, finished := 0, 0
	for range kills {
		tracer := exec.Command(os.Args[0])
		tracer.Env = []string{fmt.Sprintf("TIGHTEN=%d %d", workers[0].Process.Pid, workers[1].Process.Pid)}
		out, err := tracer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := tracer.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // it is at work
			t.Fatal(err)
		}
		time.Sleep(rand.N(10 * time.Millisecond))
		_ = tracer.Process.Kill()
		_ = tracer.Wait()
		for i, w := range workers {
			signal := w.ended(t)
			if signal == 0 && !free(t, w.Process.Pid) {
				signal = w.waited(t) // it is ending
			}
			if signal == 0 && rand.N(20) == 0 {
				signal = w.finishUnlessKilled(t, what)
				finished++
			} else if signal == 0 {
				continue
			}
			if signal == unix.SIGKILL {
				killed++
			} else if signal != 0 {
				t.Fatalf("a tracer that is killed made it end by %v", signal)
			}
			workers[i] = start(t, program, w.Env, what...)
		}
	}
	for _, w := range workers {
		if w.finishUnlessKilled(t, what) != 0 {
			killed++
		}
	}
	t.Logf("%d moments: %d of %d processes were killed, by design; %d were let end in between and two at last, and had computed what they should", kills, killed, 2*kills, finished)
}

// free fails the test unless no thread of a process is traced or stopped, and reports whether there
// is the process. A thread that has just been released may still be on its way.
func free(t *testing.T, pid int) bool {
	t.Helper()
	p, err := procfs.Read("/proc", pid)
	if err != nil {
		return false
	}
	for _, tid := range p.Tasks() {
		for until := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
			s, err := procfs.StatusOf(tid)
			if err != nil || s.Tracer == 0 && !strings.HasPrefix(s.State, "t") && !strings.HasPrefix(s.State, "T") {
				break
			}
			if time.Now().After(until) {
				t.Fatalf("thread %d: %+v", tid, s)
			}
		}
	}
	return true
}

// TestSignals: no signal is lost to a process that is tightened while they arrive.
func TestSignals(t *testing.T) {
	program := build(t, "../../policy/filter/testdata/still.c")
	w := start(t, program, nil, "count")
	stop := make(chan struct{})
	sent := make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				sent <- n
				return
			default:
			}
			if unix.Kill(w.Process.Pid, unix.Signal(34)) != nil {
				n--
			}
			time.Sleep(50 * time.Microsecond)
		}
	}()
	for n := range 100 {
		f := noKeyctl
		f.Instructions = slices.Clone(f.Instructions)
		f.Instructions[6].K = unix.SECCOMP_RET_ERRNO | uint32(n+1)
		if _, err := tighten.Process(w.Process.Pid, f, limit); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	n := <-sent
	time.Sleep(50 * time.Millisecond) // a real-time signal comes after SIGTERM
	for range 2 {
		_ = unix.Kill(w.Process.Pid, unix.SIGTERM)
		time.Sleep(20 * time.Millisecond)
	}
	got, err := w.out.ReadString('\n')
	if want := fmt.Sprintln(n); got != want || n < 100 {
		t.Errorf("it got %q of %d signals (%v)", got, n, err)
	}
}
