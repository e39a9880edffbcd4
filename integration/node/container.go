package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/shim/enforce"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The two runtimes that tests set side by side.
const (
	Stock  = "io.containerd.runc.v2"
	Batten = "io.containerd.batten.v2"
)

// Run describes a container.
type Run struct {
	// Runtime is the runtime type; Options its options, as the client takes
	// them.
	Runtime string
	Options any
	// Namespace is the containerd namespace; empty means Namespace.
	Namespace string
	// Args is the command; empty means one that waits.
	Args []string
	// Spec changes the spec that the client makes.
	Spec []oci.SpecOpts
}

// Created is a container whose task exists.
type Created struct {
	ID   string
	Task containerd.Task
	ctx  context.Context
	node *Node
	out  string

	container containerd.Container
}

var serial atomic.Int64

// Create makes a container and its task, and does not start it.
func (n *Node) Create(run Run) (*Created, error) {
	c, container, err := n.newContainer(run)
	if err != nil {
		return c, err
	}
	c.Task, err = container.NewTask(c.ctx, cio.LogFile(c.out))
	return c, err
}

// newContainer makes a container without a task.
func (n *Node) newContainer(run Run) (*Created, containerd.Container, error) {
	if run.Namespace == "" {
		run.Namespace = Namespace
	}
	if run.Args == nil {
		run.Args = []string{"/probe", "pause"}
	}
	ctx := namespaces.WithNamespace(context.Background(), run.Namespace)
	id := fmt.Sprintf("c%d", serial.Add(1))
	image, err := n.Client.GetImage(ctx, Image)
	if err != nil {
		return nil, nil, err
	}
	spec := append([]oci.SpecOpts{
		oci.WithImageConfigArgs(image, run.Args),
		n.withCgroup(id),
		oci.WithHostNamespace(specs.NetworkNamespace),
	}, run.Spec...)
	container, err := n.Client.NewContainer(ctx, id,
		containerd.WithNewSnapshot(id, image), containerd.WithImage(image),
		containerd.WithNewSpec(spec...), containerd.WithRuntime(run.Runtime, run.Options))
	return &Created{ID: id, ctx: ctx, node: n, out: filepath.Join(n.Dir, id+".out")}, container, err
}

func (n *Node) withCgroup(id string) oci.SpecOpts {
	return oci.WithCgroup("/" + filepath.Join(filepath.Base(n.Dir), id))
}

// Start makes and starts a container.
func (n *Node) Start(run Run) (*Created, error) {
	c, err := n.Create(run)
	if err != nil {
		return c, err
	}
	return c, c.Task.Start(c.ctx)
}

// Output runs a container to its end and returns what it wrote. A failure to
// start it fails the test.
func (n *Node) Output(run Run) string {
	n.t.Helper()
	c, err := n.Create(run)
	if err != nil {
		n.t.Fatalf("creating: %v", err)
	}
	exit, err := c.Task.Wait(c.ctx)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := c.Task.Start(c.ctx); err != nil {
		n.t.Fatalf("starting: %v", err)
	}
	select {
	case <-exit:
	case <-time.After(30 * time.Second):
		n.t.Fatalf("container %s does not end", c.ID)
	}
	out := c.Output()
	c.Remove()
	return out
}

// Output is what the container's process has written so far.
func (c *Created) Output() string {
	data, _ := os.ReadFile(c.out)
	return string(data)
}

// Seccomp is the Seccomp mode and the number of filters of the container's
// first process, out of /proc.
func (c *Created) Seccomp() (mode, filters string) {
	return Seccomp(int(c.Task.Pid()))
}

// Seccomp is the Seccomp mode and the number of filters of a process.
func Seccomp(pid int) (mode, filters string) {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(data)) {
		switch key, value, _ := strings.Cut(line, ":"); key {
		case "Seccomp":
			mode = strings.TrimSpace(value)
		case "Seccomp_filters":
			filters = strings.TrimSpace(value)
		}
	}
	return mode, filters
}

// WaitExit waits for the container's first process to end and returns its exit
// status.
func (c *Created) WaitExit() (uint32, error) {
	exit, err := c.Task.Wait(c.ctx)
	if err != nil {
		return 0, err
	}
	select {
	case status := <-exit:
		return status.ExitCode(), status.Error()
	case <-time.After(20 * time.Second):
		return 0, fmt.Errorf("container %s does not end", c.ID)
	}
}

// Exec runs a command in the container and returns what it wrote.
func (c *Created) Exec(args ...string) (string, error) {
	spec, err := c.Task.Spec(c.ctx)
	if err != nil {
		return "", err
	}
	process := spec.Process
	process.Args, process.Terminal = args, false
	id := fmt.Sprintf("e%d", serial.Add(1))
	out := filepath.Join(c.node.Dir, id+".out")
	exec, err := c.Task.Exec(c.ctx, id, process, cio.LogFile(out))
	if err != nil {
		return "", err
	}
	exit, err := exec.Wait(c.ctx)
	if err != nil {
		return "", err
	}
	if err := exec.Start(c.ctx); err != nil {
		return "", err
	}
	status := <-exit
	if _, err := exec.Delete(c.ctx); err != nil {
		return "", err
	}
	data, err := os.ReadFile(out)
	if err == nil && status.ExitCode() != 0 {
		err = fmt.Errorf("exit status %d", status.ExitCode())
	}
	return string(data), err
}

// Remove kills and deletes the container; errors fail the test.
func (c *Created) Remove() {
	c.node.t.Helper()
	container, err := c.node.Client.LoadContainer(c.ctx, c.ID)
	if err != nil {
		c.node.t.Errorf("removing %s: %v", c.ID, err)
		return
	}
	c.node.removeContainer(c.ctx, container)
}

func (n *Node) removeContainer(ctx context.Context, c containerd.Container) {
	task, err := c.Task(ctx, nil)
	if err == nil {
		exit, err := task.Wait(ctx)
		if err == nil && task.Pid() != 0 { // else there is no process to wait for
			_ = task.Kill(ctx, syscall.SIGKILL, containerd.WithKillAll)
			select {
			case <-exit:
			case <-time.After(10 * time.Second):
				n.t.Errorf("container %s does not die", c.ID())
			}
		}
		if _, err := task.Delete(ctx, containerd.WithProcessKill); err != nil && !errdefs.IsNotFound(err) {
			n.t.Errorf("deleting the task of %s: %v", c.ID(), err)
		}
	}
	if err := c.Delete(ctx, containerd.WithSnapshotCleanup); err != nil && !errdefs.IsNotFound(err) {
		n.t.Errorf("deleting %s: %v", c.ID(), err)
	}
}

// WithSeccomp sets linux.seccomp.
func WithSeccomp(s *specs.LinuxSeccomp) oci.SpecOpts {
	return func(_ context.Context, _ oci.Client, _ *containers.Container, spec *oci.Spec) error {
		spec.Linux.Seccomp = s
		return nil
	}
}

// WaitForExec waits until the container's first process is what it is to run:
// runc returns from start a moment earlier.
func (n *Node) WaitForExec(c *Created) {
	n.t.Helper()
	n.waitForExec(int(c.Task.Pid()))
}

func (n *Node) waitForExec(pid int) {
	n.t.Helper()
	n.Eventually(10*time.Second, fmt.Sprintf("execve in process %d", pid), func() error {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err == nil && strings.HasPrefix(string(comm), "runc:") {
			return fmt.Errorf("still %q", comm)
		}
		return err
	})
}

// Reload finds the container again, after the daemon was restarted.
func (c *Created) Reload() error {
	container, err := c.node.Client.LoadContainer(c.ctx, c.ID)
	if err != nil {
		return err
	}
	c.Task, err = container.Task(c.ctx, nil)
	return err
}

// Record is the record of a container, as it stands.
func (n *Node) Record(t T, namespace, id string) *enforce.Record {
	t.Helper()
	rec, err := enforce.Records{Dir: n.Path(enforce.DefaultRecords)}.Read(namespace, id)
	if err != nil {
		t.Fatalf("the record of %s: %v", id, err)
	}
	return rec
}
