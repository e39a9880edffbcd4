package daemonset

import (
	"cmp"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/install"
)

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
