package runc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// delegate runs the runtime with the arguments, environment and open files of this process,
// and returns when the runtime has ended. The runtime does not outlive this process. Package
// os is not used: it would start another process first, to try the kernel's pidfds.
func (w *wrapper) delegate() error {
	runtime.LockOSThread() // Pdeathsig is sent when this thread ends
	defer runtime.UnlockOSThread()
	path := w.config.Runtime
	pid, err := syscall.ForkExec(path, append([]string{path}, w.args...), &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	var status syscall.WaitStatus
	if err == nil {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		for errors.Is(err, syscall.EINTR) {
			_, err = syscall.Wait4(pid, &status, 0, nil)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("batten-runc: %q: %w", path, err)
	case status.Signaled():
		return fmt.Errorf("batten-runc: %q: killed: %v", path, status.Signal())
	case status.ExitStatus() != 0:
		return exitStatus(status.ExitStatus())
	}
	return nil
}

// exitStatus is the error of a runtime that has already printed why it failed.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
