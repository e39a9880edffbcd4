package integration

import (
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestObserved: stock runc and crun load RuntimeDefault's observing twin. With Count the
// program has the profile's errnos, with Audit it runs as without a filter; the listener sees
// what the profile denies, and nothing else.
func TestObserved(t *testing.T) {
	n := node.Bare(t, newest)
	names := []string{"getpid", "keyctl", "add_key", "unshare", "clone_newuts", "getpid"}
	denied := []string{"keyctl", "add_key", "unshare", "clone"}
	s := profile.RuntimeDefault(nil)
	refused := calls("getpid", "OK", "keyctl", "EPERM", "add_key", "EPERM", "unshare", "EPERM", "clone_newuts", "EPERM", "getpid", "OK")
	for _, runtime := range []string{"runc", "crun"} {
		unfiltered := runUnder(t, n, runtime, runtime+"-none", nil, names)
		if unfiltered == refused {
			t.Fatalf("%s: without a filter the probe says the same: %q", runtime, unfiltered)
		}
		if got := runUnder(t, n, runtime, runtime+"-silent", &s, names); got != refused {
			t.Errorf("%s: under the profile %q, want %q", runtime, got, refused)
		}
		for _, test := range []struct {
			name string
			mode observe.Mode
			want string
		}{
			{name: "count", mode: observe.Count, want: refused},
			{name: "audit", mode: observe.Audit, want: unfiltered},
		} {
			l := listen(t, filepath.Join(n.Dir, runtime+"-"+test.name+".sock"))
			twin, err := observe.Profile(observe.Request{Seccomp: s, Mode: test.mode, Runtime: filter.Linked(), ListenerPath: l.path})
			if err != nil {
				t.Fatal(err)
			}
			if test.mode == observe.Count {
				l.setErrno(twin.Errno)
			}
			got := runUnder(t, n, runtime, runtime+"-"+test.name, &twin.Seccomp, names)
			seen := l.seen()
			if got != test.want {
				t.Errorf("%s, %s: the probe says %q, want %q; the listener saw %q", runtime, test.name, got, test.want, seen)
			}
			for _, name := range denied {
				if !slices.Contains(seen, name) {
					t.Errorf("%s, %s: the listener did not see %s: %q", runtime, test.name, name, seen)
				}
			}
			if slices.Contains(seen, "getpid") {
				t.Errorf("%s, %s: the listener saw getpid, which the profile allows", runtime, test.name)
			}
			t.Logf("%s, %s: the listener saw %q", runtime, test.name, seen)
		}
	}
}

// runUnder has the runtime run the probe under a profile, and returns what the probe says.
func runUnder(t *testing.T, n *node.Node, runtime, id string, s *specs.LinuxSeccomp, names []string) string {
	t.Helper()
	bundle := n.Bundle("bundle", id, append([]string{"/probe", "call"}, names...)...)
	putProfile(t, filepath.Join(bundle, "config.json"), s)
	state := filepath.Join(n.Dir, "state")
	cmd := n.Command(runtime, "--root", state, "run", "--bundle", bundle, id)
	// A call that nobody answers would keep the container for good.
	stop := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	out, err := cmd.Output()
	stop.Stop()
	if err != nil {
		said := ""
		if failed, ok := err.(*exec.ExitError); ok {
			said = string(failed.Stderr)
		}
		_ = callRuntime(t, n, runtime, "--root", state, "delete", "--force", id)
		t.Fatalf("%s: %v: %s", id, err, said)
	}
	return string(out)
}

// listening is a listener that notes the calls that it is notified of.
type listening struct {
	path  string
	mu    sync.Mutex
	names []string
	errno func(bpf.Call) uint16 // nil: the call runs
}

func listen(t *testing.T, path string) *listening {
	t.Helper()
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	l := &listening{path: path}
	go func() {
		for {
			conn, err := socket.AcceptUnix()
			if err != nil {
				return
			}
			go l.serve(conn)
		}
	}()
	return l
}

func (l *listening) setErrno(errno func(bpf.Call) uint16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errno = errno
}

// seen returns the names of the calls so far: a call is noted before it is answered.
func (l *listening) seen() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.names)
}

// serve takes the descriptor that a runtime sends, and answers until no process has the
// filter any more.
func (l *listening) serve(conn *net.UnixConn) {
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
		ready := []unix.PollFd{{Fd: int32(fds[0]), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); err == nil && ready[0].Revents&unix.POLLIN == 0 {
			return
		}
		l.one(fds[0])
	}
}

// one takes and answers one notification. It may be gone: its process has ended.
func (l *listening) one(fd int) {
	var call struct { // struct seccomp_notif
		id         uint64
		pid, flags uint32
		nr, arch   uint32
		pointer    uint64
		args       [6]uint64
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&call))); errno != 0 {
		return
	}
	answer := struct { // struct seccomp_notif_resp
		id    uint64
		value int64
		errno int32
		flags uint32
	}{id: call.id}
	l.mu.Lock()
	l.names = append(l.names, syscalls.CallAt(specs.ArchX86_64, int(call.nr)))
	if l.errno != nil {
		answer.errno = -int32(l.errno(bpf.Call{Arch: call.arch, Nr: call.nr, Args: call.args}))
	} else {
		answer.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
	}
	l.mu.Unlock()
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&answer)))
}
