package denials

import (
	"errors"
	"io/fs"
	"os"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"golang.org/x/sys/unix"
)

// Serving returns the process that listens at a socket, or an error if none does. It is 0 if
// that process is in a pid namespace which this one cannot see into.
func Serving(path string) (pid int, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return 0, &fs.PathError{Op: "connect", Path: path, Err: err}
	}
	peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED) // who has called listen(2)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt", err)
	}
	return int(peer.Pid), nil
}

// Unserved reports whether an error of Serving means that nobody listens.
func Unserved(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED)
}

var errDeserted = errors.New("the listener has ended")

// deserted reports whether a container of batten-runc runs without the listener that its record
// says it has: that process was killed. A shim that is killed takes its containers with it.
func (s Store) deserted(owner, id string) bool {
	records := record.Store{Dir: s.Dir}
	rec, err := records.Read(owner, id)
	if err != nil || rec.Call == nil || !rec.Denials.Seen() || rec.Pid == 0 || rec.StartTime == 0 ||
		rec.PidNamespace != record.PidNamespace() || procfs.StartTime(rec.Pid) != rec.StartTime {
		return false
	}
	socket, err := records.Socket(owner, id)
	if err != nil {
		return false
	}
	_, err = Serving(socket)
	return Unserved(err)
}
