package denials

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A stream is a unix(7) stream socket. Package net would do, but batten-runc has no other need
// of it, and a process of batten-runc stays for each container that has a listener.
type stream struct {
	*os.File
	raw syscall.RawConn
}

func newStream(fd int, name string) (*stream, error) {
	f := os.NewFile(uintptr(fd), name) // waits in Go's poller: fd does not block
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &stream{File: f, raw: raw}, nil
}

// backlog is how many runtimes may wait to be accepted.
const backlog = 128

// bind makes a socket that listens at path, which only root can connect to.
func bind(path string) (*stream, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "bind", Path: path, Err: err}
	}
	err = os.Chmod(path, 0o600)
	if err == nil {
		err = os.NewSyscallError("listen", unix.Listen(fd, backlog))
	}
	if err != nil {
		_ = os.Remove(path)
		unix.Close(fd)
		return nil, err
	}
	return newStream(fd, path)
}

// accept returns the next connection. The error is fs.ErrClosed once the socket is closed.
func (s *stream) accept() (*stream, error) {
	var (
		fd  int
		err error
	)
	rawErr := s.raw.Read(func(own uintptr) bool {
		fd, _, err = unix.Accept4(int(own), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		return !again(err)
	})
	if rawErr != nil {
		return nil, closed(rawErr)
	}
	if err != nil {
		return nil, os.NewSyscallError("accept4", err)
	}
	return newStream(fd, s.Name())
}

// receive reads a part of a message and its descriptors, which get close-on-exec. The error is
// io.EOF at the end.
func (s *stream) receive(buffer, control []byte) (n, oobn, flags int, err error) {
	rawErr := s.raw.Read(func(own uintptr) bool {
		n, oobn, flags, _, err = unix.Recvmsg(int(own), buffer, control, unix.MSG_CMSG_CLOEXEC)
		return !again(err)
	})
	switch {
	case rawErr != nil:
		return 0, 0, 0, closed(rawErr)
	case err != nil:
		return 0, 0, 0, os.NewSyscallError("recvmsg", err)
	case n == 0 && oobn == 0:
		return 0, 0, flags, io.EOF
	}
	return n, oobn, flags, nil
}

// peer returns who has connected.
func (s *stream) peer() (*unix.Ucred, error) {
	var (
		peer *unix.Ucred
		err  error
	)
	rawErr := s.raw.Control(func(own uintptr) {
		peer, err = unix.GetsockoptUcred(int(own), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	return peer, errors.Join(rawErr, err)
}

// again reports whether a call is to be made again: the poller waits for what is not there yet.
func again(err error) bool {
	return err == unix.EAGAIN || err == unix.EINTR || err == unix.ECONNABORTED
}

// closed returns the error of a call that did not get to the kernel: the deadline is over, or
// else the socket is closed, for which RawConn has an error of its own that is not
// fs.ErrClosed.
func closed(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return fs.ErrClosed
}
