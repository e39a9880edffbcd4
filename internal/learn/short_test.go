package learn_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/learn"
	"github.com/batten-runtime/batten/internal/testneeds"
)

// A container whose only program has ended before anybody asked whose it is is recorded all the
// same, and what waits for its end ends.
func TestShort(t *testing.T) {
	testneeds.Root(t, "bpf(2)")
	id := fmt.Sprintf("batten-short-%d", os.Getpid())
	group := testneeds.Cgroup(t, id)
	s, err := learn.Open(learn.Options{Wanted: learn.Wanted{IDs: []string{id}}, Records: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, UseCgroupFD: true, CgroupFD: int(group.Fd())}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	if err := s.Run(ctx, true); err != nil || ctx.Err() != nil {
		t.Errorf("%v, in time: %v", err, ctx.Err())
	}
	r, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Containers) != 1 || r.Containers[0].ID != id || len(r.Containers[0].Calls) < 5 || !r.Containers[0].Start || len(r.Containers[0].Capabilities) == 0 {
		t.Errorf("recorded %+v", r)
	}
}
