package daemonset

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"golang.org/x/sys/unix"
)

// Limits of waiting for containerd to end and to be back: systemd waits 5 s before it restarts
// containerd, and on a busy node all this takes longer.
const (
	endLimit  = 30 * time.Second
	backLimit = 2 * time.Minute
)

// findDaemon returns the process behind containerd's socket (SO_PEERCRED, unix(7)), and puts
// the directory of its binary first in PATH: install asks that containerd for its
// configuration, which is the one that its command line names.
func (a *Agent) findDaemon() (pid int, err error) {
	pid, err = peer(a.Socket)
	if err != nil {
		return 0, fmt.Errorf("containerd at %q: %w; name its socket with --socket", a.Socket, err)
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return 0, fmt.Errorf("containerd is process %d, which cannot be seen: %w; the pod needs hostPID: true", pid, err)
	}
	if a.Install.Config == "" {
		a.Install.Config = configOf(pid)
	}
	return pid, os.Setenv("PATH", filepath.Dir(exe)+":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
}

// configOf returns the configuration that the command line of a containerd names; empty if
// it names none.
func configOf(pid int) string {
	p, err := procfs.Read("/proc", pid)
	if err != nil {
		return ""
	}
	return configIn(p.Args())
}

func configIn(args []string) string { return procfs.Flag(args, "", "-c", "--config") }

func peer(socket string) (pid int, err error) {
	connection, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	raw, err := connection.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var credentials *unix.Ucred
	controlErr := raw.Control(func(fd uintptr) {
		credentials, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(controlErr, err); err != nil {
		return 0, err
	}
	return int(credentials.Pid), nil
}

// restart asks containerd to end, and waits until systemd, or whatever else looks after it, has
// restarted it. Containers keep running, as during every restart of containerd.
func (a *Agent) restart(pid int) error {
	// k0s may have ended it already: it looks at its drop-ins itself.
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("ending containerd, process %d: %w", pid, err)
	}
	began := time.Now()
	for time.Since(began) < backLimit {
		now, err := peer(a.Socket)
		if err == nil && now != pid {
			a.say("containerd is back, as process %d", now)
			return nil
		}
		if err == nil && time.Since(began) > endLimit {
			return fmt.Errorf("containerd, process %d, does not end", pid)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("containerd did not come back within %v; restart it (systemctl restart containerd)", backLimit)
}
