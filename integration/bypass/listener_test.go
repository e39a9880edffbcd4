package bypass

import (
	"net"
	"path/filepath"
	"unsafe"

	"github.com/batten-runtime/batten/integration/node"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// notified runs a container that notifies of keyctl to a listener of its own, which
// lets everything through.
func notified(a *attempt) string {
	path := filepath.Join(a.Dir, "supervisor.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	a.must(err)
	a.later(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.AcceptUnix()
			if err != nil {
				return
			}
			go supervise(conn)
		}
	}()
	return calls("keyctl", node.WithOldSpec, node.WithSeccomp(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, ListenerPath: path,
		Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"keyctl", "add_key"}, Action: specs.ActNotify}},
	}))(a)
}

// supervise takes the descriptor that a runtime sends, and answers each call with
// CONTINUE (seccomp_unotify(2)).
func supervise(conn *net.UnixConn) {
	defer conn.Close()
	state, control := make([]byte, 1<<16), make([]byte, 64)
	_, n, _, _, err := conn.ReadMsgUnix(state, control)
	if err != nil {
		return
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) == 0 {
		return
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return
	}
	defer unix.Close(fds[0])
	for {
		var call [80]byte // struct seccomp_notif
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fds[0]), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&call))); errno != 0 {
			return
		}
		answer := struct {
			id    uint64
			value int64
			errno int32
			flags uint32
		}{id: *(*uint64)(unsafe.Pointer(&call)), flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fds[0]), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&answer))); errno != 0 {
			return
		}
	}
}

const nodeListens = "profiles: {asks: {inline: {defaultAction: SCMP_ACT_ALLOW, listenerPath: /run/node-agent.sock, architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86], syscalls: [{names: [keyctl], action: SCMP_ACT_NOTIFY}]}}}\n"
