package denials

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// auditing lets each call run. Only [Listen] makes one, where [Request] says LetThrough.
type auditing struct{}

var _ answerer = auditing{}

func (auditing) answer(fd int, n *notification) error { return letThrough(fd, n.id) }

func (auditing) kind() Answer { return LetThrough }

// passage is struct seccomp_notif_resp for a call that runs.
type passage struct {
	id    uint64
	_     int64
	_     int32
	flags uint32
	_     [spare]byte
}

// letThrough makes a call run. The error is ENOENT if the call has ended meanwhile.
func letThrough(fd int, id uint64) error {
	p := passage{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	return ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&p))
}
