package recorder_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/testneeds"
	"golang.org/x/sys/unix"
)

// What a process is that has long ended is known: its cgroup, whether it had a filter and
// no_new_privs, and its capabilities.
func TestTold(t *testing.T) {
	r := newRig(t, recorder.Options{})
	own, err := procfs.SelfStatus()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("batten-told-%d", os.Getpid())
	_ = testneeds.Cgroup(t, name)
	group := testneeds.Cgroup(t, name+"/container") // as crun has them below systemd's
	for _, strict := range []bool{false, true} {
		cmd := exec.Command("true")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, UseCgroupFD: true, CgroupFD: int(group.Fd())}
		done := make(chan error)
		go func() {
			if strict { // of this thread alone, which ends with the goroutine
				runtime.LockOSThread()
				if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
					done <- err
					return
				}
			}
			done <- cmd.Run()
		}()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		for {
			n, err := r.Next(time.Now().Add(5 * time.Second))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Ignore(n); err != nil {
				t.Fatal(err)
			}
			if n.Pid != cmd.Process.Pid { // another of this machine
				continue
			}
			if n.Cgroup != name+"/container" || n.Filtered != (own.Seccomp == 2) || n.NoNewPrivileges != (strict || own.NoNewPrivs) || n.Bounding != own.Bounding {
				t.Errorf("told of %+v, want the cgroup %s/container and the rights of %+v, no_new_privs %v", n, name, own, strict)
			}
			break
		}
	}
}
