package node

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

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

// WithSeccomp sets linux.seccomp.
func WithSeccomp(s *specs.LinuxSeccomp) oci.SpecOpts {
	return func(_ context.Context, _ oci.Client, _ *containers.Container, spec *oci.Spec) error {
		spec.Linux.Seccomp = s
		return nil
	}
}

// WithOldSpec is for crun 1.8.1, which takes specs of version 1.0 only.
func WithOldSpec(_ context.Context, _ oci.Client, _ *containers.Container, spec *oci.Spec) error {
	spec.Version = "1.0.2"
	return nil
}

// WaitForExec waits until the container's first process is what it is to run:
// runc returns from start a moment earlier.
func (n *Node) WaitForExec(c *Created) {
	n.t.Helper()
	n.WaitForExecOf(int(c.Task.Pid()))
}

// WaitForExecOf waits for it by the process.
func (n *Node) WaitForExecOf(pid int) {
	n.t.Helper()
	n.Eventually(10*time.Second, fmt.Sprintf("execve in process %d", pid), func() error { return LeftRuntime(pid) })
}

// LeftRuntime is an error as long as a process is runc's or crun's, on its way to the
// container's program: both may return from start before it is there.
func LeftRuntime(pid int) error {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err == nil && (strings.HasPrefix(string(comm), "runc:") || string(comm) == "crun\n") {
		return fmt.Errorf("still %q", comm)
	}
	return err
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
func (n *Node) Record(t T, namespace, id string) *record.Record {
	t.Helper()
	rec, err := record.Store{Dir: n.Path(names.Records)}.Read(namespace, id)
	if err != nil {
		t.Fatalf("the record of %s: %v", id, err)
	}
	return rec
}
