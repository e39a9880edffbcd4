package daemonset

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/batten-runtime/batten/internal/install"
)

// Enter makes root the root directory of this process: from then on all paths, and all
// programs that it runs, are the host's.
func Enter(root string) error {
	if err := syscall.Chroot(root); err != nil {
		return fmt.Errorf("chroot %q: %w", root, err)
	}
	return os.Chdir("/")
}

// Choose fills in what is not set, by the host's distribution: containerd's socket, and the
// directory of Batten's binaries. Call it after [Enter].
func (a *Agent) Choose() error {
	d, err := a.Install.Recognize(a.host("/"))
	if err != nil {
		return err
	}
	a.Socket = cmp.Or(a.Socket, d.Socket)
	if a.Install.Bin == "" {
		a.Install.Bin = Bin
		if d.Bin != "" {
			a.Install.Bin = filepath.Join(d.Bin, "batten")
		}
	}
	if d.Name != install.Plain {
		a.say("this is a node of %s", d.Name)
	}
	return nil
}

// homeDir is the directory of all that is the DaemonSet's alone on the host.
func (a *Agent) homeDir() string {
	if a.Install.Bin == Bin || a.Install.Bin == "" {
		return home
	}
	return a.Install.Bin
}
