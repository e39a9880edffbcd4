package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
)

// Namespace is the containerd namespace that tests use where none matters.
const Namespace = "test"

// Node is a private containerd.
type Node struct {
	Engine Engine
	// Dir is the node's directory, Etc what the node sees as /etc/batten,
	// Socket the daemon's.
	Dir, Etc, Socket string
	// Bin holds the binaries that the daemon finds on its PATH.
	Bin string
	// Client is connected to the daemon, and stays so over its restarts.
	Client *containerd.Client

	t         T
	handlers  []Handler
	logLevel  string
	cluster   bool
	leftovers bool
	log       *os.File
	anchor    *exec.Cmd // keeps the mount namespace
	daemon    *exec.Cmd
	program   string // the daemon's, if it is not the engine's
	config    string // the daemon's, if it is not the node's own
}

// Option changes a node before it starts.
type Option func(*Node)

// WithHandlers sets the CRI plugin's handlers; "runc" is the default one.
func WithHandlers(handlers ...Handler) Option {
	return func(n *Node) { n.handlers = handlers }
}

// WithQuietLog keeps daemon and shim from logging at debug level, which costs
// time and makes shims serve a debug socket.
func WithQuietLog() Option { return func(n *Node) { n.logLevel = "warn" } }

// WithLeftovers has the end of the test clear away, and not count, what containers
// left behind: a daemon that is killed loses shims, with Batten or without.
func WithLeftovers() Option { return func(n *Node) { n.leftovers = true } }

// Start starts a node of the named engine and ends it with the test. It skips
// the test, or with REQUIRE_INTEGRATION=1 fails it, where the engine is missing.
func Start(t T, engine string, options ...Option) *Node {
	t.Helper()
	Need(t, engine)
	n := &Node{t: t, Engine: engines[engine], logLevel: "debug"}
	for _, option := range options {
		option(n)
	}
	n.makeDir()
	t.Cleanup(n.end)
	n.link("containerd-shim-batten-v2", Shim(t))
	for _, name := range []string{"batten", "batten-runc"} {
		n.link(name, filepath.Join(filepath.Dir(Shim(t)), name))
	}
	n.link("containerd-shim-runc-v2", n.Engine.tool("containerd-shim-runc-v2"))
	n.link("ctr", n.Engine.tool("ctr"))
	n.link("containerd", n.Engine.tool("containerd"))
	n.link("runc", n.Engine.runtime())
	n.startAnchor()
	if n.cluster {
		if err := errors.Join(n.writeCNI(), n.writeMirrors()); err != nil {
			t.Fatal(err)
		}
	}
	n.StartDaemon()
	n.importImage()
	return n
}

// Need skips the test, or fails it where skips are not allowed, unless root
// can start the engine here.
func Need(t T, engine string) {
	t.Helper()
	why := ""
	e, known := engines[engine]
	switch {
	case !known:
		t.Fatalf("no engine %q", engine)
	case os.Geteuid() != 0:
		why = "needs root"
	case !Exists(e.tool("containerd")) || !Exists(e.runtime()) || !Exists(busybox()):
		why = fmt.Sprintf("engine %s is not built: run integration/engines/build.sh", engine)
	default:
		return
	}
	Missing(t, why)
}

// Missing skips the test for want of something, or fails it where skips are not
// allowed.
func Missing(t T, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_INTEGRATION") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Exists reports whether there is a file.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// makeDir makes the node's directory, which only root may change: the policy
// is read from it. Its path is short, for the sake of socket addresses.
func (n *Node) makeDir() {
	dir, err := os.MkdirTemp("/tmp", "bt-")
	if err != nil {
		n.t.Fatal(err)
	}
	n.Dir, n.Etc, n.Bin = dir, filepath.Join(dir, "etc"), filepath.Join(dir, "bin")
	n.Socket = filepath.Join(dir, "c.sock")
	for _, d := range []string{n.Etc, n.Bin, filepath.Join(dir, "ns"), filepath.Join(dir, "fifo")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			n.t.Fatal(err)
		}
	}
	if n.log, err = os.Create(filepath.Join(dir, "containerd.log")); err != nil {
		n.t.Fatal(err)
	}
}

func (n *Node) link(name, target string) {
	if err := os.Symlink(target, filepath.Join(n.Bin, name)); err != nil {
		n.t.Fatal(err)
	}
}

// setUp runs in the new mount namespace: /run is empty, and /etc, through an
// overlay in memory, has /etc/batten.
const setUp = `set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs "$0/ns"
mkdir "$0/ns/up" "$0/ns/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$0/ns/up,workdir=$0/ns/work" /etc
mkdir -p /etc/batten
mount --bind "$0/etc" /etc/batten
echo ready
exec tail -f /dev/null`

// startAnchor makes the mount namespace and a process that keeps it.
func (n *Node) startAnchor() {
	flags, script := []string{"--mount", "--propagation", "private"}, setUp
	if n.cluster {
		flags, script = append(flags, "--net"), clusterSetUp+setUp
	}
	n.anchor = exec.Command("unshare", append(flags, "sh", "-c", script, n.Dir, busybox())...)
	n.anchor.Stderr = n.log
	out, err := n.anchor.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.anchor.Start(); err != nil {
		n.t.Fatal(err)
	}
	buf := make([]byte, 16)
	if k, _ := out.Read(buf); string(buf[:k]) != "ready\n" {
		n.t.Fatalf("the node's mount namespace: %s", n.logTail())
	}
}

// In makes a part of the test the one that fails, until it ends.
func (n *Node) In(t T) {
	whole := n.t
	n.t = t
	t.Cleanup(func() { n.t = whole })
}

// Command is a command in the node's mount namespace, with the node's
// binaries on its PATH.
func (n *Node) Command(args ...string) *exec.Cmd {
	ns := "/proc/" + strconv.Itoa(n.anchor.Process.Pid) + "/ns/"
	cmd := exec.Command("nsenter", append([]string{"--mount=" + ns + "mnt", "--net=" + ns + "net", "--"}, args...)...)
	cmd.Dir = n.Dir
	cmd.Env = append(os.Environ(), "PATH="+n.Bin+":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"CONTAINERD_ADDRESS="+n.Socket)
	return cmd
}

// Path is where the host sees a path of the node's.
func (n *Node) Path(path string) string {
	return filepath.Join("/proc", strconv.Itoa(n.anchor.Process.Pid), "root", path)
}

// Eventually calls f until it succeeds, or fails the test with its last error.
func (n *Node) Eventually(limit time.Duration, what string, f func() error) {
	n.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("waiting for %s: %v\n%s", what, err, n.logTail())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Log is what daemon and shims have logged.
func (n *Node) Log() string {
	data, err := os.ReadFile(n.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// logTail is the end of the log, for a test that failed.
func (n *Node) logTail() string {
	lines := strings.Split(n.Log(), "\n")
	lines = lines[max(0, len(lines)-40):]
	for i, line := range lines {
		lines[i] = line[:min(len(line), 500)]
	}
	return strings.Join(lines, "\n")
}
