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

func TestAttest(t *testing.T) {
	for _, tt := range []struct {
		name    string
		start   func(t *testing.T) subject
		state   State
		detail  string // PID stands for the process's
		atLeast time.Duration
		atMost  time.Duration
	}{
		{
			"filtered", func(t *testing.T) subject { return subject{pid: spawn(t, filterAfter("0s"))} },
			Filtered, "", 0, 900 * time.Millisecond,
		},
		{
			"filtered a little later", func(t *testing.T) subject { return subject{pid: spawn(t, filterAfter("300ms"))} },
			Filtered, "", 250 * time.Millisecond, 900 * time.Millisecond,
		},
		{
			"never filtered", func(t *testing.T) subject { return subject{pid: spawn(t, exec.Command("sleep", "60"))} },
			Failed, "process PID (/usr/bin/sleep) has Seccomp: 0 and 0 filters", attestLimit, attestLimit + 5*time.Second,
		},
		{
			"left the runtime without a filter", func(t *testing.T) subject {
				pid := spawn(t, exec.Command("sleep", "60"))
				return subject{pid: pid, runtime: executableOf(os.Getpid())}
			},
			Failed, "process PID (/usr/bin/sleep) has Seccomp: 0 and 0 filters", 0, 900 * time.Millisecond,
		},
		{
			"still the runtime, longer than others may take", func(t *testing.T) subject {
				pid := spawn(t, filterAfter("1500ms"))
				return subject{pid: pid, runtime: executableOf(pid)}
			},
			Filtered, "", attestLimit, attestRuntimeLimit,
		},
		{
			"gone", func(t *testing.T) subject {
				cmd := exec.Command("true")
				if err := cmd.Run(); err != nil {
					t.Fatal(err)
				}
				return subject{pid: cmd.Process.Pid}
			},
			Ended, "", 0, 900 * time.Millisecond,
		},
		{
			"ended, not reaped", func(t *testing.T) subject { return subject{pid: spawn(t, exec.Command("true"))} },
			Ended, "", 0, 900 * time.Millisecond,
		},
	} {
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
			if took > tt.atMost {
				t.Logf("took %v, expected at most %v", took, tt.atMost)
			}
		})
	}
}

func TestAttestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	pid := spawn(t, exec.Command("sleep", "60"))
	if got := (subject{pid: pid}).attest(ctx); got.State != Pending {
		t.Errorf("got %+v, want Pending", got)
	}
}

// A process under the filters of its creator has none of its own.
func TestFilteredBeyond(t *testing.T) {
	for _, tt := range []struct {
		p, own process
		want   bool
	}{
		{process{mode: 0}, process{mode: 0}, false},
		{process{mode: 2, filters: 1}, process{mode: 0}, true},
		{process{mode: 2, filters: 1}, process{mode: 2, filters: 1}, false},
		{process{mode: 2, filters: 2}, process{mode: 2, filters: 1}, true},
		{process{mode: 2, filters: -1}, process{mode: 0, filters: -1}, true},
		{process{mode: 1}, process{mode: 0}, false},
	} {
		if got := tt.p.filteredBeyond(tt.own); got != tt.want {
			t.Errorf("%+v under %+v: got %v, want %v", tt.p, tt.own, got, tt.want)
		}
	}
}

func TestStartTime(t *testing.T) {
	self := startTime(os.Getpid())
	if self == 0 || self != startTime(os.Getpid()) {
		t.Errorf("this process began at %d", self)
	}
	if got := startTime(1 << 30); got != 0 {
		t.Errorf("no process began at %d", got)
	}
}

// An exec that has left the runtime executes a file of the container's root.
func TestExecutesContainer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("chroot(2) needs root")
	}
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
	if s := (subject{pid: pid}); !s.executesContainer(executableOf(pid)) {
		t.Error("a program of the container's root is not seen as one")
	}
	if s := (subject{pid: pid, binary: executableOf(pid)}); s.executesContainer(executableOf(pid)) {
		t.Error("the runtime's own file is taken for the container's")
	}
	outside := spawn(t, exec.Command("sleep", "60"))
	if s := (subject{pid: outside}); s.executesContainer(executableOf(outside)) {
		t.Error("a process of the node's root is taken for a container's")
	}
}

func TestLeftRuntime(t *testing.T) {
	none, runc, program := executable{}, executable{1, 2}, executable{3, 4}
	for _, tt := range []struct {
		runtime, first, now executable
		want                bool
	}{
		{runc, runc, runc, false},
		{runc, runc, program, true},
		{runc, none, program, true},
		{runc, runc, none, false}, // it cannot be told
		{none, runc, program, true},
		{none, program, program, false},
		{none, none, program, false},
		{none, runc, none, false},
	} {
		if got := (subject{runtime: tt.runtime}).leftRuntime(tt.first, tt.now); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}
