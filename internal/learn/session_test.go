package learn_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/learn"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/testneeds"
)

// A command that there was no room for ends, and so does what waits for it.
func TestNoRoom(t *testing.T) {
	testneeds.Root(t, "bpf(2)")
	s, err := learn.Open(learn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 70 { // more than there are places
		other := exec.Command("sleep", "1000")
		other.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = errors.Join(other.Process.Kill(), other.Wait()) }() // it is killed
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	if _, err := s.Command(ctx, exec.Command("true")); err != nil || ctx.Err() != nil {
		t.Errorf("%v, in time: %v", err, ctx.Err())
	}
	r, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Containers) != 0 || r.Lost.Containers == 0 {
		t.Errorf("%d containers, lost %+v", len(r.Containers), r.Lost)
	}
}

// A command whose time is over may end as it likes, and nothing that it has started is left.
func TestTimeOver(t *testing.T) {
	testneeds.Root(t, "bpf(2)")
	s, err := learn.Open(learn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer stop()
	var output strings.Builder
	// Its child may end first.
	cmd := exec.Command("sh", "-c", `trap 'echo asked; exit 3' TERM; sleep 60 & echo $!; wait; while :; do sleep 0.05; done`)
	cmd.Stdout = &output
	state, err := s.Command(ctx, cmd)
	if err != nil {
		t.Fatal(err)
	}
	var left int
	if _, err := fmt.Sscan(output.String(), &left); err != nil || state.ExitCode() != 3 || !strings.HasSuffix(output.String(), "asked\n") {
		t.Errorf("%v: %s wrote %q", err, state, output.String())
	}
	if procfs.Lives(left) {
		t.Errorf("process %d is left", left)
	}
	if r, err := s.Close(); err != nil || len(r.Containers) != 1 {
		t.Errorf("%v: %+v", err, r)
	}
}

// A record that cannot be read is said, and ends nothing: what was recorded for hours would be lost.
func TestUnreadable(t *testing.T) {
	testneeds.Root(t, "bpf(2)")
	dir := t.TempDir()
	var said strings.Builder
	s, err := learn.Open(learn.Options{
		Wanted: learn.Wanted{IDs: []string{"nobody"}}, Records: dir,
		Say: func(format string, args ...any) { fmt.Fprintf(&said, format+"\n", args...) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "k8s.io"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "k8s.io", "half.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ctx, stop := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer stop()
	if err := s.Run(ctx, false); err != nil {
		t.Error(err)
	}
	if _, err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(said.String(), "whose record cannot be read"); n != 1 {
		t.Errorf("said %d times:\n%s", n, said.String())
	}
}
