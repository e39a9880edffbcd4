package tighten_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/internal/tighten"
	"golang.org/x/sys/unix"
)

// cgroup makes one of the test's own, and returns what lists its processes, and a shell that runs
// there: a program behind it is executed in the cgroup.
func cgroup(t *testing.T) (list tighten.List, within string) {
	t.Helper()
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/cgroup.procs"); err != nil {
		root += "/pids"
	}
	own, err := procfs.Read("/proc", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, own.Cgroup)); err != nil {
		own.Cgroup = "/"
	}
	dir, err := os.MkdirTemp(filepath.Join(root, own.Cgroup), "batten-tighten-")
	if err != nil {
		testneeds.Missing(t, "a cgroup of its own: "+err.Error())
	}
	t.Cleanup(func() {
		for until := time.Now().Add(10 * time.Second); os.Remove(dir) != nil && time.Now().Before(until); time.Sleep(time.Millisecond) {
			for _, pid := range procfs.InCgroup(strings.TrimPrefix(dir, root)) {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
	})
	return func(startTime func(int) uint64) (out []tighten.Target, err error) {
		for _, pid := range procfs.InCgroup(strings.TrimPrefix(dir, root)) {
			out = append(out, tighten.Target{Pid: pid, StartTime: startTime(pid)})
		}
		return out, nil
	}, fmt.Sprintf(`echo $$ >%s/cgroup.procs && exec "$0" "$@"`, dir)
}

// TestAll: processes that make others all the time, and end as soon as they have, do not get away.
func TestAll(t *testing.T) {
	program := build(t, "testdata/forks.c")
	for _, width := range []int{1, 8} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			list, within := cgroup(t)
			w := start(t, "/bin/sh", nil, "-c", within, program, strconv.Itoa(width))
			r, err := tighten.All(noKeyctl, time.Minute, list)
			if err != nil || len(r.Unreached) > 0 {
				t.Fatalf("%d tightened and %d had it in %d looks; %v, %v", len(r.Tightened), len(r.Already), r.Looks, r.Unreached, err)
			}
			t.Logf("%d tightened and %d had it in %d looks, stopped for %v", len(r.Tightened), len(r.Already), r.Looks, r.Longest)
			ends := time.AfterFunc(limit, func() { _ = w.in.Close() })
			said := make(map[string]int)
			for {
				line, err := w.out.ReadString('\n')
				if err != nil {
					break
				}
				if said[strings.TrimSpace(line)]++; said["closed"] == width {
					ends.Reset(50 * time.Millisecond) // for what would be open yet
				}
			}
			if said["closed"] != width || said["open"] != 0 {
				t.Errorf("%v, want %d closed", said, width)
			}
		})
	}
}

// inState waits until a process is in a state of proc_pid_status(5).
func inState(t *testing.T, pid int, want string) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		s, err := procfs.StatusOf(pid)
		if err != nil || time.Now().After(until) {
			t.Fatalf("%+v, %v, want state %s", s, err, want)
		}
		if strings.HasPrefix(s.State, want) {
			return
		}
	}
}

// TestAllWaits: what is not reached is tried until the time is over, and named.
func TestAllWaits(t *testing.T) {
	list, within := cgroup(t)
	w := start(t, "/bin/sh", nil, "-c", within, build(t, "../../policy/filter/testdata/still.c"), "vfork")
	inState(t, w.Process.Pid, "D")
	began := time.Now()
	r, err := tighten.All(noKeyctl, time.Second, list)
	if err != nil || len(r.Unreached) != 1 || r.Unreached[0].Pid != w.Process.Pid || len(r.Tightened) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("it gave up after %v", took)
	}
	broken := errors.New("broken")
	if _, err := tighten.All(noKeyctl, limit, func(func(int) uint64) ([]tighten.Target, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
