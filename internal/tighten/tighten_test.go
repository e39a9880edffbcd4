package tighten_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/tighten"
	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// limit is how long a test waits for a process to stop.
const limit = 20 * time.Second

// noKeyctl makes keyctl(2) fail with EXDEV, by both ABIs.
var noKeyctl = tighten.Filter{Instructions: []bpf.Instruction{
	{Code: bpf.Load, K: 4},
	{Code: bpf.IfEqual, K: unix.AUDIT_ARCH_I386, Jt: 2},
	{Code: bpf.Load, K: 0},
	{Code: bpf.IfEqual, K: unix.SYS_KEYCTL, Jt: 2, Jf: 3},
	{Code: bpf.Load, K: 0},
	{Code: bpf.IfEqual, K: 288, Jf: 1},
	{Code: bpf.Return, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EXDEV)},
	{Code: bpf.Return, K: unix.SECCOMP_RET_ALLOW},
}}

var all = []string{
	"accept", "clock_nanosleep", "epoll", "futex", "nanosleep", "poll", "poll-timeout", "ppoll", "read", "spin",
	"vectors", "branches",
}

// said is what a worker says if every thread's keyctl fails with an error.
func said(errno unix.Errno, what ...string) (out []string) {
	for _, w := range append([]string{"main"}, what...) {
		out = append(out, fmt.Sprintf("%s ok %d", w, errno))
	}
	slices.Sort(out)
	return out
}

// TestProcess: a filter is put on each thread, whatever it does, and it goes on as if nothing had
// been. Without it keyctl is answered by the kernel (EOPNOTSUPP for a command that there is not).
func TestProcess(t *testing.T) {
	program := build(t, "testdata/worker.c")
	for _, env := range []string{"", "TRY=1", "APART=1"} {
		t.Run(env, func(t *testing.T) {
			w, control := start(t, program, []string{env}, all...), start(t, program, []string{env}, all...)
			result, err := tighten.Process(w.Process.Pid, noKeyctl, limit)
			if err != nil {
				t.Fatal(err)
			}
			if result.Already || result.NoNewPrivs || result.Threads < len(all)+1 {
				t.Errorf("%+v", result)
			}
			again, err := tighten.Process(w.Process.Pid, noKeyctl, limit)
			if err != nil || !again.Already {
				t.Errorf("again: %+v, %v", again, err)
			}
			t.Logf("%d threads stopped for %v, again %v", result.Threads, result.Stopped, again.Stopped)
			if got, want := w.finish(t), said(unix.EXDEV, all...); !slices.Equal(got, want) {
				t.Errorf("tightened:\n%s", strings.Join(got, "\n"))
			}
			if got, want := control.finish(t), said(unix.EOPNOTSUPP, all...); !slices.Equal(got, want) {
				t.Errorf("the control:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// TestNoNewPrivs: the kernel asks for no_new_privs of a process without CAP_SYS_ADMIN alone.
func TestNoNewPrivs(t *testing.T) {
	program := build(t, "testdata/worker.c")
	if err := os.Chmod(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", "echo ready; read x; grep NoNewPrivs /proc/self/status")
	for _, user := range []bool{true, false} {
		args := cmd.Args[1:]
		name := cmd.Path
		if !user {
			name, args = "/bin/sh", cmd.Args[4:]
		}
		w := start(t, name, []string{"PATH=/usr/bin:/bin"}, args...)
		result, err := tighten.Process(w.Process.Pid, noKeyctl, limit)
		if err != nil || result.NoNewPrivs != user {
			t.Errorf("of a user %t: %+v, %v", user, result, err)
		}
		_, _ = io.WriteString(w.in, "\n")
		want := "NoNewPrivs:\t0\n"
		if user {
			want = "NoNewPrivs:\t1\n"
		}
		if got, _ := io.ReadAll(w.out); string(got) != want {
			t.Errorf("of a user %t: %q, want %q", user, got, want)
		}
	}
}

// TestUnreached: what cannot be tightened is said, and goes on.
func TestUnreached(t *testing.T) {
	program, still := build(t, "testdata/worker.c"), build(t, "../../policy/filter/testdata/still.c")
	tracee := start(t, still, nil, "sleep")
	start(t, still, nil, "trace", fmt.Sprint(tracee.Process.Pid))
	vfork, thread, leader := start(t, still, nil, "vfork"), start(t, still, nil, "thread"), start(t, still, nil, "leader")
	inState(t, vfork.Process.Pid, "D")
	inState(t, thread.Process.Pid, "D")
	inState(t, leader.Process.Pid, "Z")
	for _, tt := range []struct {
		name string
		w    *worker
		want string
		goes bool
	}{
		{name: "denies seccomp", w: start(t, program, []string{fmt.Sprintf("DENY=%d", unix.SYS_SECCOMP)}, "read"), want: "its own filter denies seccomp", goes: true},
		{name: "denies what is not needed", w: start(t, program, []string{fmt.Sprintf("DENY=%d", unix.SYS_MREMAP)}, "read"), goes: true},
		{name: "would be killed", w: start(t, program, []string{fmt.Sprintf("KILL=%d", unix.SYS_SECCOMP)}, "read"), want: "its own filter does not let seccomp pass", goes: true},
		{name: "is traced", w: tracee, want: "traces it"},
		{name: "in vfork", w: vfork, want: "does not stop (state D (disk sleep))"},
		{name: "in vfork, but for a thread", w: thread},
		{name: "its first thread has ended", w: leader},
		{name: "sleeps", w: start(t, still, nil, "sleep")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			most := 10 * time.Second
			if tt.want != "" {
				most = 200 * time.Millisecond
			}
			_, err := tighten.Process(tt.w.Process.Pid, noKeyctl, most)
			var unreached *tighten.Unreached
			switch {
			case tt.want == "" && err != nil, tt.want != "" && (!errors.As(err, &unreached) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if s, err := procfs.StatusOf(tt.w.Process.Pid); err != nil || tt.name != "is traced" && s.Tracer != 0 {
				t.Errorf("%+v, %v", s, err)
			}
			if !tt.goes {
				return
			}
			errno := unix.EOPNOTSUPP
			if tt.want == "" {
				errno = unix.EXDEV
			}
			if got, want := tt.w.finish(t), said(errno, "read"); !slices.Equal(got, want) {
				t.Errorf("it goes on as\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// BenchmarkProcess measures how long a process is stopped.
func BenchmarkProcess(b *testing.B) {
	program := build(b, "testdata/worker.c")
	for _, threads := range []int{3, 500} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			stopped := time.Duration(0)
			for range b.N {
				b.StopTimer()
				w := start(b, program, []string{fmt.Sprintf("IDLE=%d", threads-1)})
				b.StartTimer()
				result, err := tighten.Process(w.Process.Pid, noKeyctl, limit)
				if err != nil {
					b.Fatal(err)
				}
				stopped += result.Stopped
				b.StopTimer()
				_ = w.Process.Kill()
			}
			b.ReportMetric(float64(stopped.Microseconds())/float64(b.N)/1000, "ms-stopped")
		})
	}
}
