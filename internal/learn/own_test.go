package learn

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/internal/testneeds"
)

// A program of nobody knows whom is not that of a command, which has no id either.
func TestOthers(t *testing.T) {
	testneeds.Root(t, "bpf(2)")
	s, err := Open(Options{Records: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	start := func(args ...string) *exec.Cmd {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	own := start("sleep", "1000")
	s.own[own.Process.Pid] = recording.Container{Command: own.Args}
	defer func() { _ = errors.Join(own.Process.Kill(), own.Wait()) }() // it is killed
	if err := start("uname").Wait(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer stop()
	if err := s.Run(ctx, false); err != nil {
		t.Fatal(err)
	}
	r, err := s.Close()
	if err != nil || len(r.Containers) != 1 || r.Unnamed != 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	for _, c := range r.Containers[0].Calls {
		if c.Program != "sleep" {
			t.Errorf("%s by %s", c.Name, c.Program)
		}
	}
}

// What has ended without a call was not recorded: that counts as lost.
func TestNoCalls(t *testing.T) {
	testneeds.Root(t, "bpf(2)")
	s, err := Open(Options{Records: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		tag, err := s.recorder.Take()
		if err != nil {
			t.Fatal(err)
		}
		w := newWatched("silent", nil, time.Now())
		w.tags = append(w.tags, tag)
		if err := s.finish(w, len(s.done) == 0); err != nil { // the second one is still there
			t.Fatal(err)
		}
	}
	if r, err := s.Close(); err != nil || r.Lost.Containers != 1 {
		t.Errorf("%v: %+v", err, r)
	}
}
