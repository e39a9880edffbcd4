package node

import (
	"os"
	"os/exec"
	"path/filepath"
)

// Engine is one set of daemon and OCI runtime.
type Engine struct {
	// Name is the engine's directory in the cache that engines/build.sh fills.
	Name string
	// bin holds containerd, ctr and the stock shim; runc is the runtime.
	bin, runc string
	// config is the version of containerd's configuration file.
	config int
}

// Engines are the daemons that the tests know, by name.
var engines = map[string]Engine{
	"debian":         {"debian", "debian/usr/bin", "debian/usr/sbin/runc", 2},
	"containerd-1.7": {"containerd-1.7", "containerd-1.7", "runc-1.5/runc", 2},
	"containerd-2.2": {"containerd-2.2", "containerd-2.2", "runc-1.5/runc", 3},
	"containerd-2.4": {"containerd-2.4", "containerd-2.4", "runc-1.5/runc", 3},
	"runc-1.6":       {"runc-1.6", "containerd-2.4", "runc-1.6/runc", 3},
}

// Cache is where engines/build.sh puts what it builds.
func Cache() string {
	if dir := os.Getenv("BATTEN_ENGINES"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "batten", "engines")
}

// busybox is Debian's static busybox.
func busybox() string { return filepath.Join(Cache(), "debian/bin/busybox") }

// runtime is the runc that an engine is tested with.
func (e Engine) runtime() string { return filepath.Join(Cache(), e.runc) }

func (e Engine) tool(name string) string { return filepath.Join(Cache(), e.bin, name) }

// Containerd is a command of an engine's daemon.
func Containerd(engine string, args ...string) *exec.Cmd {
	return exec.Command(engines[engine].tool("containerd"), args...)
}

// Runtime is the OCI runtime of the node's engine.
func (n *Node) Runtime() string { return n.Engine.runtime() }

// RuntimeOf is the OCI runtime of an engine.
func RuntimeOf(engine string) string { return engines[engine].runtime() }
