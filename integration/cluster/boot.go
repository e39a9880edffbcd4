package cluster

import (
	"slices"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	corev1 "k8s.io/api/core/v1"
)

// emptyRun leaves of /run what a boot leaves.
const emptyRun = `grep -o ' /run/[^ ]*' /proc/self/mounts | sort -r | while read -r path; do umount -l "$path"; done
rm -rf /run/*`

// Crash kills everything on the node at once, containers and shims included, as when
// its power fails, and empties /run.
func (c *Cluster) Crash() {
	c.t.Helper()
	pids := c.taskPids()
	for _, name := range slices.Backward(c.order) {
		c.Stop(name, syscall.SIGKILL)
	}
	c.KillDaemon()
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, pid := range c.Others() { // the shims
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, pid := range pids {
		c.Eventually(10*time.Second, "the end of a container", func() error { return node.Gone(pid) })
	}
	if out, err := c.Command("sh", "-c", emptyRun).CombinedOutput(); err != nil {
		c.t.Fatalf("emptying /run: %v: %s", err, out)
	}
}

// Boot starts everything again over the state on disk.
func (c *Cluster) Boot() {
	c.t.Helper()
	c.StartDaemon()
	c.StartControlPlane()
	c.connect()
	c.StartKubelet()
	c.Ready()
}

// taskPids are the first processes of all of Kubernetes' containers.
func (c *Cluster) taskPids() (pids []int) {
	c.t.Helper()
	ctx := namespaces.WithNamespace(c.Ctx(), CRI)
	list, err := c.Node.Client.Containers(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, container := range list {
		if task, err := container.Task(ctx, nil); err == nil && task.Pid() != 0 {
			pids = append(pids, int(task.Pid()))
		}
	}
	return pids
}

// ContainerID is containerd's id of a pod's container.
func (c *Cluster) ContainerID(pod *corev1.Pod, container string) string {
	c.t.Helper()
	for id, name := range c.containers(pod) {
		if name == container {
			return id
		}
	}
	c.t.Fatalf("pod %s has no container %q that runs", pod.Name, container)
	return ""
}
