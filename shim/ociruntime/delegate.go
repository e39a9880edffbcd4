package ociruntime

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// delegate runs the runtime with what this process was given, further files
// included, and returns when it has ended. It does not outlive this process.
// Package os would try the kernel's pidfds first, which takes another process.
func (w *wrapper) delegate() error {
	runtime.LockOSThread() // whose end is what Pdeathsig goes by
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

// exitStatus is the failure of a runtime that has said why.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
