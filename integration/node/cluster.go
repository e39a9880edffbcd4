package node

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// Address is a cluster's node, seen from itself and from its pods; APIServer the
// first address of the services, where pods look for the API server.
const (
	Address   = "10.88.0.1"
	APIServer = "10.96.0.1"
	// Registry is where the node looks for Docker Hub's images.
	Registry = Address + ":5000"
)

// clusterSetUp gives the node a network of its own, with the bridge that its pods
// will be at, mounts that pods may share, and what a DaemonSet writes to.
const clusterSetUp = `set -e
mount --make-rshared /
"$1" ip link set lo up
"$1" ip link add cni0 type bridge
"$1" ip addr add ` + Address + `/16 dev cni0
"$1" ip addr add ` + APIServer + `/32 dev cni0
"$1" ip link set cni0 up
"$1" ip route add default dev cni0
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /opt
`

// WithCluster prepares a node for a kubelet: a network of its own, with the bridge
// of CNI's plugins.
func WithCluster() Option { return func(n *Node) { n.cluster = true } }

func (n *Node) cni() string { return filepath.Join(n.Dir, "cni") }

// writeCNI configures the pods' network.
func (n *Node) writeCNI() error {
	if err := os.MkdirAll(n.cni(), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(n.cni(), "10-bridge.conflist"), fmt.Appendf(nil, `{
  "cniVersion": "1.0.0", "name": "pods",
  "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": true,
     "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "loopback"}
  ]
}`, filepath.Join(n.Dir, "ipam")), 0o644)
}

// Dial connects to an address in the node's network.
func (n *Node) Dial(network, address string) (connection net.Conn, err error) {
	inside := n.InNetwork(func() { connection, err = net.Dial(network, address) })
	return connection, errors.Join(inside, err)
}

// InNetwork has f run in the node's network.
func (n *Node) InNetwork(f func()) error {
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends in the node's network
		fd, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", n.anchor.Process.Pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			unix.Close(fd)
		}
		if err == nil {
			f()
		}
		failed <- err
	}()
	return <-failed
}

// mirrors sends containerd to the node's registry for Docker Hub's images.
func (n *Node) mirrors() string { return filepath.Join(n.Dir, "registries") }

func (n *Node) writeMirrors() error {
	dir := filepath.Join(n.mirrors(), "docker.io")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "hosts.toml"), fmt.Appendf(nil, "server = \"http://%s\"\n", Registry), 0o644)
}
