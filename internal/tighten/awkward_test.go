package tighten_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/tighten"
	"golang.org/x/sys/unix"
)

// TestAwkward: programs that are in the way are tightened all the same, and go on as they were.
func TestAwkward(t *testing.T) {
	program := build(t, "testdata/awkward.c")
	for _, tt := range []struct {
		how    string
		before []string // what starts the program
		state  string   // that it is in before and after
	}{
		{how: "blocks"},
		{how: "listens"},
		{how: "execs"},
		{how: "strict"},
		{how: "stopped", state: "T"},
		{how: "vforks"},
		{how: "blocks", before: []string{"unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"}},
	} {
		t.Run(strings.Join(append(tt.before, tt.how), " "), func(t *testing.T) {
			list, within := cgroup(t)
			args := append([]string{"-c", within}, tt.before...)
			w := start(t, "/bin/sh", []string{"PATH=/usr/bin:/bin"}, append(args, program, tt.how)...)
			if tt.state != "" {
				inState(t, w.Process.Pid, tt.state)
			}
			r, err := tighten.All(noKeyctl, limit, list)
			if err != nil || len(r.Unreached) > 0 {
				t.Fatalf("%d tightened in %d looks: %v, %v", len(r.Tightened), r.Looks, r.Unreached, err)
			}
			if tt.state != "" {
				time.Sleep(20 * time.Millisecond)
				inState(t, w.Process.Pid, tt.state)
				if err := unix.Kill(w.Process.Pid, unix.SIGCONT); err != nil {
					t.Fatal(err)
				}
			}
			_, _ = io.WriteString(w.in, "x")
			if line, err := w.out.ReadString('\n'); line != "18\n" { // EXDEV
				t.Errorf("keyctl fails with %q, %v", line, err)
			}
		})
	}
}

// TestPartlyTraced: a process of which another traces one thread is left out, and named: that thread
// could execute another program, or make a process, meanwhile.
func TestPartlyTraced(t *testing.T) {
	w := start(t, build(t, "testdata/worker.c"), nil, "read")
	pid := w.Process.Pid
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil || len(tasks) != 2 {
		t.Fatalf("%v, %v", tasks, err)
	}
	tracer := start(t, build(t, "../../policy/filter/testdata/still.c"), nil, "trace", tasks[1].Name())
	want := fmt.Sprintf("process %d: process %d traces it", pid, tracer.Process.Pid)
	if _, err := tighten.Process(pid, noKeyctl, limit); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got, want := w.finish(t), said(unix.EOPNOTSUPP, "read"); !slices.Equal(got, want) {
		t.Errorf("it goes on as\n%s", strings.Join(got, "\n"))
	}
}

// TestAnother: a number that is another process's by now is left alone.
func TestAnother(t *testing.T) {
	w := start(t, build(t, "testdata/worker.c"), nil, "read")
	r, err := tighten.All(noKeyctl, limit, func(func(int) uint64) ([]tighten.Target, error) {
		return []tighten.Target{{Pid: w.Process.Pid, StartTime: 1}}, nil
	})
	if err != nil || len(r.Tightened)+len(r.Already)+len(r.Unreached) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if got, want := w.finish(t), said(unix.EOPNOTSUPP, "read"); !slices.Equal(got, want) {
		t.Errorf("it goes on as\n%s", strings.Join(got, "\n"))
	}
}

// TestInterrupted: a signal that comes to a process while it is stopped interrupts what it waits in, as
// it would have.
func TestInterrupted(t *testing.T) {
	w := start(t, build(t, "testdata/awkward.c"), nil, "waits")
	inState(t, w.Process.Pid, "S")
	r, err := tighten.All(noKeyctl, limit, func(func(int) uint64) ([]tighten.Target, error) {
		if s, err := procfs.StatusOf(w.Process.Pid); err == nil && s.Tracer != 0 {
			_ = unix.Kill(w.Process.Pid, unix.SIGUSR1)
		}
		return []tighten.Target{{Pid: w.Process.Pid, StartTime: procfs.StartTime(w.Process.Pid)}}, nil
	})
	if err != nil || len(r.Tightened) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	time.Sleep(50 * time.Millisecond)
	_, _ = io.WriteString(w.in, "x")
	if line, err := w.out.ReadString('\n'); line != "18\n" { // EXDEV
		t.Errorf("it says %q, %v", line, err)
	}
}

// TestRestart: a thread that sleeps for a second does not begin it again each time.
func TestRestart(t *testing.T) {
	what := []string{"nanosleep", "clock_nanosleep", "futex", "poll-timeout"}
	w := start(t, build(t, "testdata/worker.c"), []string{"APART=1", "ENDS=1"}, what...)
	until := time.Now().Add(limit)
	for n := uint32(1); ; n++ { // by each thread itself, since their filters differ
		tasks, err := procfs.Tasks(w.Process.Pid)
		if err != nil || time.Now().After(until) {
			t.Fatalf("%d threads sleep after %d filters (%v)", len(tasks)-1, n, err)
		}
		if len(tasks) == 1 {
			return
		}
		f := tighten.Filter{Instructions: slices.Clone(noKeyctl.Instructions)}
		f.Instructions[6].K = unix.SECCOMP_RET_ERRNO | n
		if _, err := tighten.Process(w.Process.Pid, f, limit); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// TestSequence: a thread that is lent in the middle of a restartable sequence begins it again; one
// that has values in vector registers, or has just taken a branch, goes on.
func TestSequence(t *testing.T) {
	what := []string{"branches", "sequence", "vectors"}
	w := start(t, build(t, "testdata/worker.c"), []string{"APART=1"}, what...)
	for n := range 10 { // by each thread itself, since their filters differ
		f := tighten.Filter{Instructions: slices.Clone(noKeyctl.Instructions)}
		f.Instructions[6].K = unix.SECCOMP_RET_ERRNO | uint32(n+1)
		if _, err := tighten.Process(w.Process.Pid, f, limit); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := w.finish(t), said(unix.Errno(10), what...); !slices.Equal(got, want) {
		t.Errorf("it goes on as\n%s", strings.Join(got, "\n"))
	}
}
