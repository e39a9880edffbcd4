package recorder_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/testneeds"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// rig is a recorder and the program that is recorded.
type rig struct {
	*recorder.Recorder
	t       *testing.T
	program string
}

func newRig(t *testing.T, o recorder.Options) *rig {
	t.Helper()
	testneeds.Root(t, "bpf(2)")
	program := filepath.Join(t.TempDir(), "calls")
	if out, err := exec.Command("gcc", "-O1", "-pthread", "-o", program, "testdata/calls.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	r, err := recorder.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{r, t, program}
}

// command is the program in a mount namespace of its own.
func (r *rig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	return cmd
}

// start starts it and returns what the recorder tells of it.
func (r *rig) start(cmd *exec.Cmd) recorder.New {
	r.t.Helper()
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	for {
		n, err := r.Next(time.Now().Add(5 * time.Second))
		if err != nil {
			r.t.Fatal(err)
		}
		if n.Pid == cmd.Process.Pid {
			if err := r.Keep(n.Tag); err != nil {
				r.t.Fatal(err)
			}
			return n
		}
		if err := r.Ignore(n); err != nil { // another of this machine
			r.t.Fatal(err)
		}
	}
}

// ignoreOwn has nothing recorded of the mount namespace of the test itself.
func (r *rig) ignoreOwn() {
	r.t.Helper()
	own, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		r.t.Fatal(err)
	}
	if err := exec.Command("true").Run(); err != nil {
		r.t.Fatal(err)
	}
	for {
		n, err := r.Next(time.Now().Add(100 * time.Millisecond))
		if errors.Is(err, recorder.ErrDone) {
			return
		}
		if err == nil {
			err = r.Ignore(n)
		}
		if err != nil {
			r.t.Fatal(err)
		}
		if n.Mounts == own {
			return // others may begin all the time
		}
	}
}

// calls runs the program to its end and returns its calls by name, with the architecture of others.
func (r *rig) calls(args ...string) map[string]recorder.Call {
	r.t.Helper()
	cmd := r.command(args...)
	n := r.start(cmd)
	if err := cmd.Wait(); err != nil {
		r.t.Fatal(err)
	}
	return r.of(n.Tag)
}

func (r *rig) of(tag recorder.Tag) map[string]recorder.Call {
	r.t.Helper()
	all, err := r.Calls(tag)
	if err != nil {
		r.t.Fatal(err)
	}
	out := make(map[string]recorder.Call)
	for _, c := range all {
		name := c.Name
		if c.Arch == specs.ArchX86 {
			name = "x86 " + name
		}
		out[name] = c
	}
	return out
}

func (r *rig) lost() recorder.Lost {
	r.t.Helper()
	l, err := r.Lost()
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}
