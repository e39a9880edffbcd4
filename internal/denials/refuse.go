package denials

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// enforcing answers each call with the errno that the profile says. It can only build a
// [refusal], so it cannot let a call through.
type enforcing struct{ judge Judge }

var _ answerer = enforcing{}

func (e enforcing) answer(fd int, n *notification) error {
	return refuse(fd, n.id, e.judge.Errno(n.call()))
}

func (enforcing) kind() Answer { return Denied }

// refusal is struct seccomp_notif_resp for a call that fails. Where the kernel has the flags,
// and among them SECCOMP_USER_NOTIF_FLAG_CONTINUE, the type has a field without a name, which
// no code can set: it is always 0.
type refusal struct {
	id    uint64
	value int64
	errno int32 // negative
	_     uint32
	_     [spare]byte
}

// refuse makes a call fail. The error is ENOENT if the call has ended meanwhile.
func refuse(fd int, id uint64, errno uint16) error {
	r := refusal{id: id, errno: -int32(errno)}
	return ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}
