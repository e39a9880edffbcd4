package recorder_test

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/recorder"
)

// inMounts runs a command in a mount namespace of its own.
func inMounts(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	return cmd
}

func TestRecords(t *testing.T) {
	r, err := recorder.Open(recorder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := inMounts(t, "/bin/sh", "-c", "/bin/true; /bin/ls / >/dev/null; (sleep 0.1)&  wait")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n, err := r.Next(time.Now().Add(2 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(n, cmd.Process.Pid)
	cmd.Wait()
	calls, err := r.Calls(n.Tag)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		t.Log(c.Arch, c.Nr, c.Name, c.Program, c.Pid, c.Time, c.Values)
	}
	t.Log(r.Lost())
	m, err := r.Members(n.Tag)
	t.Log(m, err)
}
