package node

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"
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
	// Namespace is the containerd namespace; empty means Namespace. ID is the
	// container's; empty means one that no other has.
	Namespace, ID string
	// Args is the command; empty means one that waits.
	Args []string
	// Spec changes the spec that the client makes, Edit its bytes on the way to
	// the daemon, which writes them into the bundle as they are.
	Spec []oci.SpecOpts
	Edit func(spec []byte) []byte
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
	id := cmp.Or(run.ID, fmt.Sprintf("c%d", serial.Add(1)))
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
		containerd.WithNewSpec(spec...), withEdit(run.Edit), containerd.WithRuntime(run.Runtime, run.Options))
	return &Created{ID: id, ctx: ctx, node: n, out: filepath.Join(n.Dir, id+".out")}, container, err
}

func withEdit(edit func([]byte) []byte) containerd.NewContainerOpts {
	return func(_ context.Context, _ *containerd.Client, c *containers.Container) error {
		if edit != nil {
			c.Spec = &anypb.Any{TypeUrl: c.Spec.GetTypeUrl(), Value: edit(c.Spec.GetValue())}
		}
		return nil
	}
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

// WaitExit waits for the container's first process to end and returns its exit
// status.
func (c *Created) WaitExit() (uint32, error) { return c.waitExit(20 * time.Second) }

func (c *Created) waitExit(limit time.Duration) (uint32, error) {
	exit, err := c.Task.Wait(c.ctx)
	if err != nil {
		return 0, err
	}
	select {
	case status := <-exit:
		return status.ExitCode(), status.Error()
	case <-time.After(limit):
		return 0, fmt.Errorf("container %s does not end", c.ID)
	}
}

// Exec runs a command in the container and returns what it wrote.
func (c *Created) Exec(args ...string) (string, error) {
	return c.ExecAs(func(*specs.Process) {}, args...)
}

// ExecAs is Exec with the process changed from what the container's is.
func (c *Created) ExecAs(change func(*specs.Process), args ...string) (string, error) {
	spec, err := c.Task.Spec(c.ctx)
	if err != nil {
		return "", err
	}
	process := spec.Process
	process.Args, process.Terminal = args, false
	change(process)
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

// Pause freezes the container, and Resume lets it go on.
func (c *Created) Pause() error { return c.Task.Pause(c.ctx) }

// Resume ends Pause.
func (c *Created) Resume() error { return c.Task.Resume(c.ctx) }

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
		if err := n.deleteTask(ctx, task); err != nil {
			n.t.Errorf("deleting the task of %s: %v", c.ID(), err)
		}
	}
	if err := c.Delete(ctx, containerd.WithSnapshotCleanup); err != nil && !errdefs.IsNotFound(err) {
		n.t.Errorf("deleting %s: %v", c.ID(), err)
	}
}

// deleteTask deletes a task. On a node whose daemon is killed, again: the CRI plugin may
// delete what was a pod's at the same time, and the shim be gone with the first to ask.
func (n *Node) deleteTask(ctx context.Context, task containerd.Task) error {
	for tries := 0; ; tries++ {
		_, err := task.Delete(ctx, containerd.WithProcessKill)
		if err == nil || errdefs.IsNotFound(err) {
			return nil
		}
		if !n.leftovers || tries == 10 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
