package enforce

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/testneeds"
	"golang.org/x/sys/unix"
)

// TestMain lets the test binary stand for a process that installs a filter,
// after the time that FILTER_AFTER says.
func TestMain(m *testing.M) {
	after := os.Getenv("FILTER_AFTER")
	if after == "" {
		os.Exit(m.Run())
	}
	wait, err := time.ParseDuration(after)
	if err != nil {
		panic(err)
	}
	runtime.LockOSThread()
	time.Sleep(wait)
	if err := allowAll(); err != nil {
		panic(err)
	}
	fmt.Println("filtered")
	time.Sleep(time.Minute)
}

// allowAll installs a filter of one instruction for the whole process.
func allowAll() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000}}
	fprog := unix.SockFprog{Len: 1, Filter: &program[0]}
	const setModeFilter, tsync = 1, 1
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, tsync, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return errno
	}
	return nil
}

// spawn starts a process that ends with the test.
func spawn(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

func filterAfter(wait string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "FILTER_AFTER="+wait)
	return cmd
}

// attestCases are processes and what attesting them returns.
var attestCases = []struct {
	name    string
	start   func(t *testing.T) subject
	state   record.State
	detail  string // PID stands for the process's
	atLeast time.Duration
	atMost  time.Duration
}{
	{
		name: "filtered", start: func(t *testing.T) subject { return subject{pid: spawn(t, filterAfter("0s"))} },
		state: record.Filtered, detail: "", atLeast: 0, atMost: 900 * time.Millisecond,
	},
	{
		name: "filtered a little later", start: func(t *testing.T) subject { return subject{pid: spawn(t, filterAfter("300ms"))} },
		state: record.Filtered, detail: "", atLeast: 250 * time.Millisecond, atMost: 900 * time.Millisecond,
	},
	{
		name: "never filtered", start: func(t *testing.T) subject { return subject{pid: spawn(t, exec.Command("sleep", "60"))} },
		state: record.Failed, detail: "process PID (/usr/bin/sleep) has Seccomp: 0 and 0 filters", atLeast: attestLimit, atMost: attestLimit + 5*time.Second,
	},
	{
		name: "left the runtime without a filter", start: func(t *testing.T) subject {
			pid := spawn(t, exec.Command("sleep", "60"))
			return subject{pid: pid, runtime: procfs.Executable(os.Getpid())}
		},
		state: record.Failed, detail: "process PID (/usr/bin/sleep) has Seccomp: 0 and 0 filters", atLeast: 0, atMost: 900 * time.Millisecond,
	},
	{
		name: "still the runtime, longer than others may take", start: func(t *testing.T) subject {
			pid := spawn(t, filterAfter("1500ms"))
			return subject{pid: pid, runtime: procfs.Executable(pid)}
		},
		state: record.Filtered, detail: "", atLeast: attestLimit, atMost: attestRuntimeLimit,
	},
	{
		name: "gone", start: func(t *testing.T) subject {
			cmd := exec.Command("true")
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			return subject{pid: cmd.Process.Pid}
		},
		state: record.Ended, detail: "", atLeast: 0, atMost: 900 * time.Millisecond,
	},
	{
		name: "ended, not reaped", start: func(t *testing.T) subject { return subject{pid: spawn(t, exec.Command("true"))} },
		state: record.Ended, detail: "", atLeast: 0, atMost: 900 * time.Millisecond,
	},
}

func TestAttest(t *testing.T) {
	for _, tt := range attestCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := tt.start(t)
			began := time.Now()
			got := s.attest(context.Background())
			took := time.Since(began)
			want := strings.Replace(tt.detail, "PID", fmt.Sprint(s.pid), 1)
			if got.State != tt.state || got.Detail != want {
				t.Errorf("got %+v, want %s %q", got, tt.state, want)
			}
			// A busy machine may be slow, never early.
			if took < tt.atLeast {
				t.Errorf("took %v, want at least %v", took, tt.atLeast)
			}
			if most := tt.atMost + busy; took > most {
				t.Errorf("took %v, want at most %v and %v for a busy machine", took, tt.atMost, busy)
			}
		})
	}
}

// busy is what a loaded machine may take longer. An attestation that waits for its
// limit where it need not takes longer than that.
const busy = 5 * time.Second

func TestAttestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	pid := spawn(t, exec.Command("sleep", "60"))
	if got := (subject{pid: pid}).attest(ctx); got.State != record.Pending {
		t.Errorf("got %+v, want Pending", got)
	}
}

// A process under the filters of its creator has none of its own.
func TestFilteredBeyond(t *testing.T) {
	for _, tt := range []struct {
		p, own procfs.Status
		want   bool
	}{
		{p: procfs.Status{Seccomp: 0}, own: procfs.Status{Seccomp: 0}, want: false},
		{p: procfs.Status{Seccomp: 2, Filters: 1}, own: procfs.Status{Seccomp: 0}, want: true},
		{p: procfs.Status{Seccomp: 2, Filters: 1}, own: procfs.Status{Seccomp: 2, Filters: 1}, want: false},
		{p: procfs.Status{Seccomp: 2, Filters: 2}, own: procfs.Status{Seccomp: 2, Filters: 1}, want: true},
		{p: procfs.Status{Seccomp: 2, Filters: -1}, own: procfs.Status{Seccomp: 0, Filters: -1}, want: true},
		{p: procfs.Status{Seccomp: 1}, own: procfs.Status{Seccomp: 0}, want: false},
	} {
		if got := filteredBeyond(tt.p, tt.own); got != tt.want {
			t.Errorf("%+v under %+v: got %v, want %v", tt.p, tt.own, got, tt.want)
		}
	}
}

// An exec that has left the runtime executes a file of the container's root.
func TestExecutesContainer(t *testing.T) {
	testneeds.Root(t, "chroot(2)")
	root := t.TempDir()
	source := filepath.Join(root, "pause.c")
	if err := os.WriteFile(source, []byte("#include <unistd.h>\nint main(void) { return pause(); }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-static", "-o", filepath.Join(root, "pause"), source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	inside := exec.Command("/pause")
	inside.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	pid := spawn(t, inside)
	if s := (subject{pid: pid}); !s.executesContainer(procfs.Executable(pid)) {
		t.Error("a program of the container's root is not seen as one")
	}
	if s := (subject{pid: pid, binary: procfs.Executable(pid)}); s.executesContainer(procfs.Executable(pid)) {
		t.Error("the runtime's own file is taken for the container's")
	}
	outside := spawn(t, exec.Command("sleep", "60"))
	if s := (subject{pid: outside}); s.executesContainer(procfs.Executable(outside)) {
		t.Error("a process of the node's root is taken for a container's")
	}
}

func TestLeftRuntime(t *testing.T) {
	none, runc, program := procfs.File{}, procfs.File{Device: 1, Inode: 2}, procfs.File{Device: 3, Inode: 4}
	for _, tt := range []struct {
		runtime, first, now procfs.File
		want                bool
	}{
		{runtime: runc, first: runc, now: runc, want: false},
		{runtime: runc, first: runc, now: program, want: true},
		{runtime: runc, first: none, now: program, want: true},
		{runtime: runc, first: runc, now: none, want: false}, // it cannot be told
		{runtime: none, first: runc, now: program, want: true},
		{runtime: none, first: program, now: program, want: false},
		{runtime: none, first: none, now: program, want: false},
		{runtime: none, first: runc, now: none, want: false},
	} {
		if got := (subject{runtime: tt.runtime}).leftRuntime(tt.first, tt.now); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}
