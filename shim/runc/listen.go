package runc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/shim/enforce"
	"golang.org/x/sys/unix"
)

// First arguments of the processes of a listener; no runtime has such flags. The others are the
// record's owner and id, for whoever looks at the list of processes.
const (
	// detachFlag is for a process that starts the listener and ends, so that the listener is
	// no child of the runtime: crun waits for all its children.
	detachFlag = "--batten-detach"
	listenFlag = "--batten-listen"
)

// Descriptors of both processes.
const (
	requestFd = iota // a memfd with enforce.Listening in JSON
	replyFd          // a pipe: ready, or an error
	nullFd
	makerFd // a pidfd of the process that makes the container: batten-runc, and then the runtime
	firstInherited
)

// ready is the reply of a listener that serves.
const ready = "ready"

// Limits of waiting for a listener.
const (
	beginLimit = 10 * time.Second
	endLimit   = 5 * time.Second
)

// listenerEnv keeps a listener small: it is idle but for the calls that are denied. Go does
// not look after the cgroup's processors, for which it would keep files open.
var listenerEnv = []string{"GOMAXPROCS=1", "GOGC=20", "GODEBUG=containermaxprocs=0,updatemaxprocs=0"}

// remote is a listener in another process.
type remote struct{ socket string }

// Close ends the listener.
func (r remote) Close() error { return endListener(r.socket, false) }

var _ enforce.Listener = remote{}

// listen starts a process that listens for a container's denials as long as the container
// lives, and returns when it serves. The process has none of the caller's open files: somebody
// may be waiting for these to be closed.
func listen(l enforce.Listening) (enforce.Listener, error) {
	socket := l.Asked.ListenerPath
	if err := endListener(socket, false); err != nil { // of a container with the same id
		return nil, err
	}
	request, err := inMemory(l)
	if err != nil {
		return nil, err
	}
	defer request.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	maker, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(maker)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	pid, err := spawn([]string{detachFlag, l.Owner, l.ID}, []uintptr{request.Fd(), w.Fd(), null.Fd(), uintptr(maker)})
	w.Close()
	if err != nil {
		return nil, err
	}
	_, err = syscall.Wait4(pid, nil, 0, nil)
	for errors.Is(err, syscall.EINTR) {
		_, err = syscall.Wait4(pid, nil, 0, nil)
	}
	_ = r.SetReadDeadline(time.Now().Add(beginLimit))
	reply, err := io.ReadAll(io.LimitReader(r, 4096))
	switch {
	case string(reply) == ready:
		return remote{socket: socket}, nil
	case len(reply) > 0:
		return nil, errors.New(string(reply))
	case err != nil:
		return nil, fmt.Errorf("the process that is to listen: %w", err)
	}
	return nil, errors.New("the process that is to listen has ended")
}

// inMemory returns an open file with l as JSON.
func inMemory(l enforce.Listening) (*os.File, error) {
	data, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("batten-listening", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "memfd")
	if _, err := f.WriteAt(data, 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// spawn starts batten-runc in a session of its own. Its descriptors are files, and those
// that this process was started with.
func spawn(args []string, files []uintptr) (pid int, err error) {
	pid, err = syscall.ForkExec("/proc/self/exe", append([]string{os.Args[0]}, args...), &syscall.ProcAttr{
		Dir: "/", Env: listenerEnv, Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, fmt.Errorf("starting batten-runc: %w", err)
	}
	return pid, nil
}

// endListener ends the listener at a socket, if there is one, and waits until it has written
// what it has seen. A listener ends only if no process of its container is left, unless
// the container is known to be deleted: then it is killed if need be.
func endListener(socket string, deleted bool) error {
	pid, err := denials.Serving(socket)
	switch {
	case denials.Unserved(err):
		return nil
	case err != nil:
		return fmt.Errorf("the listener at %q: %w", socket, err)
	case pid == 0:
		return fmt.Errorf("the listener at %q is in another pid namespace", socket)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil // it has ended
	}
	defer unix.Close(fd)
	if again, err := denials.Serving(socket); err != nil || again != pid {
		return nil // the number may be another process's by now
	}
	_ = unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0)
	if !ended(fd, endLimit) && deleted {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		ended(fd, endLimit)
	}
	if _, err := denials.Serving(socket); err == nil {
		return fmt.Errorf("process %d listens at %q, for a container that runs", pid, socket)
	}
	return nil
}

// ended waits until a process has ended, and reports whether it has within a limit.
func ended(pidfd int, limit time.Duration) bool {
	for deadline := time.Now().Add(limit); ; {
		left := time.Until(deadline)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(max(0, left.Milliseconds())))
		if n > 0 || err != nil && err != unix.EINTR || left <= 0 {
			return n > 0
		}
	}
}
