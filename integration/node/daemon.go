package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
)

// StartDaemon starts containerd and waits until it answers.
func (n *Node) StartDaemon() {
	n.t.Helper()
	if err := os.WriteFile(n.Config(), []byte(n.configuration()), 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.serve()
}

// Config is the daemon's configuration.
func (n *Node) Config() string {
	if n.config != "" {
		return n.config
	}
	return filepath.Join(n.Dir, "config.toml")
}

// ReloadFrom restarts the daemon with another configuration, a file in the node's mount
// namespace.
func (n *Node) ReloadFrom(config string) {
	n.t.Helper()
	n.config = config
	n.Reload()
}

// serve starts the daemon on the configuration that is there.
func (n *Node) serve() {
	n.t.Helper()
	n.daemon = n.Command(n.Engine.tool("containerd"), "--config", n.Config())
	if n.program != "" {
		n.daemon = n.Command("bash", "-c", `exec -a containerd "$0" "$@"`, n.program, "--config", n.Config())
	}
	n.daemon.Stdout, n.daemon.Stderr = n.log, n.log
	if err := n.daemon.Start(); err != nil {
		n.t.Fatal(err)
	}
	if n.Client == nil {
		n.connect()
	}
	n.Eventually(30*time.Second, "containerd to answer", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		ok, err := n.Client.IsServing(ctx)
		if err == nil && !ok {
			err = errors.New("not serving")
		}
		return err
	})
}

func (n *Node) connect() {
	n.Eventually(30*time.Second, "containerd's socket", func() error {
		client, err := containerd.New(n.Socket, containerd.WithDefaultNamespace(Namespace), containerd.WithTimeout(time.Second))
		if err == nil {
			n.Client = client
		}
		return err
	})
}

// KillDaemon kills containerd and nothing else, as a crash would.
func (n *Node) KillDaemon() {
	n.t.Helper()
	n.stop(syscall.SIGKILL)
}

func (n *Node) stop(signal syscall.Signal) {
	if n.daemon == nil {
		return
	}
	_ = n.daemon.Process.Signal(signal)
	_ = n.daemon.Wait()
	n.daemon = nil
}

// Restart stops the daemon in an orderly way and starts it with other handlers.
func (n *Node) Restart(handlers ...Handler) {
	n.t.Helper()
	n.stop(syscall.SIGTERM)
	n.handlers = handlers
	n.StartDaemon()
}

// Exchange stops the daemon in an orderly way and starts that of another engine in
// its place, on the same state.
func (n *Node) Exchange(engine string) {
	n.t.Helper()
	Need(n.t, engine)
	n.stop(syscall.SIGTERM)
	n.Engine = engines[engine]
	n.StartDaemon()
}

// Reload restarts the daemon with the configuration that somebody has changed.
func (n *Node) Reload() {
	n.t.Helper()
	n.stop(syscall.SIGTERM)
	n.serve()
}

// Revive waits until the daemon has ended by itself and starts it again, as the
// service manager would, on the configuration that is there.
func (n *Node) Revive() {
	n.t.Helper()
	n.Eventually(time.Minute, "containerd to end", func() error { return Gone(n.daemon.Process.Pid) })
	_ = n.daemon.Wait()
	n.serve()
}

// ReloadAs restarts the daemon as a program of another name, which is called containerd, as
// that of k3s is.
func (n *Node) ReloadAs(t T, name string) {
	t.Helper()
	n.stop(syscall.SIGTERM)
	program := filepath.Join(n.Dir, name)
	data, err := os.ReadFile(n.Engine.tool("containerd"))
	if err == nil {
		_ = os.Remove(program)
		err = os.WriteFile(program, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.program = program
	n.serve()
}
