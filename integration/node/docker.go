package node

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// DockerConfig is what a node's dockerd is configured with, besides what keeps it
// off the machine's network.
type DockerConfig map[string]any

// StartDocker starts Docker Engine on a bare node: Debian's on Debian's
// containerd, the new line's on others. It stops with the test, or before by what
// it returns.
func (n *Node) StartDocker(config DockerConfig, env ...string) (stop func()) {
	n.t.Helper()
	all := DockerConfig{
		"bridge": "none", "iptables": false, "ip6tables": false, "userland-proxy": false,
		"cgroup-parent": "/" + filepath.Base(n.Dir), "data-root": filepath.Join(n.Dir, "docker"),
	}
	if n.Engine.Name == "debian" {
		delete(all, "ip6tables") // experimental there
	}
	maps.Copy(all, config)
	text, err := json.Marshal(all)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(n.DockerConfig(), text, 0o600); err != nil {
		n.t.Fatal(err)
	}
	return n.Dockerd(env...)
}

// dockerd is the Docker Engine beside the node's containerd.
func (n *Node) dockerd() string {
	if n.Engine.Name == "debian" {
		return filepath.Join(Cache(), "debian/usr/sbin/dockerd")
	}
	return filepath.Join(Cache(), "docker-29/dockerd")
}

// DockerConfig is dockerd's configuration.
func (n *Node) DockerConfig() string { return filepath.Join(n.Dir, "daemon.json") }

// Dockerd is StartDocker with the configuration that is there.
func (n *Node) Dockerd(env ...string) (stop func()) {
	n.t.Helper()
	cmd := n.Command("dockerd", "--config-file", n.DockerConfig(), "--host", "unix:///run/docker.sock")
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = n.log, n.log
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	n.t.Cleanup(stop)
	n.Eventually(30*time.Second, "dockerd to answer", func() error {
		select {
		case err := <-ended:
			ended <- err
			n.t.Fatalf("dockerd ended: %v\n%s", err, n.logTail())
		default:
		}
		out, err := n.Docker("version").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	return stop
}

// Docker is a command of the Docker client.
func (n *Node) Docker(args ...string) *exec.Cmd {
	return n.Command(append([]string{"docker", "--host", "unix:///run/docker.sock"}, args...)...)
}

// Rootfs is the test image's one layer, a tar file.
func Rootfs(t T) string {
	t.Helper()
	return strings.TrimSuffix(once(t, "image", buildImage), "image.tar") + "layer.tar"
}
