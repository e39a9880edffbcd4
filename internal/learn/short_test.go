package learn_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/learn"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/policy"
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
	r := untilEnd(t, s)
	if len(r.Containers) != 1 || r.Containers[0].ID != id || len(r.Containers[0].Calls) < 5 || !r.Containers[0].Start || len(r.Containers[0].Capabilities) == 0 {
		t.Errorf("recorded %+v", r)
	}
}

// A container that is wanted by its pod, and that has ended with its record left behind, as
// batten-runc leaves it until somebody deletes the container: it is recorded, and the record stays.
func TestShortByPod(t *testing.T) {
	testneeds.Root(t, "bpf(2)")
	store := record.Store{Dir: t.TempDir()}
	s, err := learn.Open(learn.Options{Wanted: learn.Wanted{Pod: "web/shop-*"}, Records: store.Dir})
	if err != nil {
		t.Fatal(err)
	}
	for id, pod := range map[string]string{"short": "shop-1", "other": "other-1"} {
		cmd := exec.Command("sh", "-c", "kill -STOP $$; exec true")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pid := cmd.Process.Pid
		if _, err := syscall.Wait4(pid, nil, syscall.WUNTRACED, nil); err != nil {
			t.Fatal(err)
		}
		err := store.Write(&record.Record{
			ContainerdNamespace: "k8s.io", ID: id, Pid: pid, StartTime: procfs.StartTime(pid), Time: time.Now(), Bundle: "/nowhere",
			Identity: policy.Identity{Kind: policy.Container, PodNamespace: "web", PodName: pod, Container: "main"},
		})
		if err := errors.Join(err, syscall.Kill(pid, syscall.SIGCONT), cmd.Wait()); err != nil {
			t.Fatal(err)
		}
	}
	r := untilEnd(t, s)
	if len(r.Containers) != 1 || r.Containers[0].Pod != "web/shop-1" || len(r.Containers[0].Calls) < 5 || !r.Containers[0].Start {
		t.Errorf("recorded %+v", r)
	}
	if left, err := store.All(); len(left) != 2 || err != nil {
		t.Errorf("%d records are left, %v", len(left), err)
	}
}

// What has ended and left no record is counted, where a name is asked for. Not exactly one: whatever
// else begins on this machine meanwhile is counted too, other tests among it.
func TestUnnamed(t *testing.T) {
	testneeds.Root(t, "bpf(2)")
	s, err := learn.Open(learn.Options{Wanted: learn.Wanted{Pod: "web/shop-*"}, Records: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	runErr := s.Run(ctx, false)
	if r, err := s.Close(); err != nil || runErr != nil || len(r.Containers) != 0 || r.Unnamed == 0 {
		t.Errorf("%v, %v: recorded %+v", runErr, err, r)
	}
}

// A runtime begins elsewhere, on the host or in a mount namespace of its own, and is in the container's
// when somebody looks: nothing of these is taken for the container's.
func TestRuntimeBefore(t *testing.T) {
	testneeds.Root(t, "bpf(2)")
	store := record.Store{Dir: t.TempDir()}
	s, err := learn.Open(learn.Options{Wanted: learn.Wanted{Pod: "web/shop-1"}, Records: store.Dir})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "-m", "unshare", "-m", "sh", "-c", "kill -STOP $$; exec sleep 0.3")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if _, err := syscall.Wait4(pid, nil, syscall.WUNTRACED, nil); err != nil {
		t.Fatal(err)
	}
	err = store.Write(&record.Record{
		ContainerdNamespace: "k8s.io", ID: "late", Pid: pid, StartTime: procfs.StartTime(pid), Time: time.Now(), Bundle: "/nowhere",
		Identity: policy.Identity{Kind: policy.Container, PodNamespace: "web", PodName: "shop-1", Container: "main"},
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(300 * time.Millisecond)
		_ = exec.Command("true").Run() // on the host, too
		_ = cmd.Process.Signal(syscall.SIGCONT)
	}()
	r := untilEnd(t, s)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if len(r.Containers) != 1 || len(r.Containers[0].Calls) < 5 {
		t.Fatalf("recorded %+v", r)
	}
	for _, c := range r.Containers[0].Calls {
		if c.Name == "unshare" || c.First.Program == "true" {
			t.Errorf("%s by %s is taken for the container's", c.Name, c.First.Program)
		}
	}
}

// untilEnd waits for the end of what is recorded, ten seconds at most, and returns what was.
func untilEnd(t *testing.T, s *learn.Session) *recording.Recording {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	if err := s.Run(ctx, true); err != nil || ctx.Err() != nil {
		r, _ := s.Close()
		t.Fatalf("%v, in time: %v; recorded %+v", err, ctx.Err(), r)
	}
	r, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
