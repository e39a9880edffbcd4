package kubernetes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/procfs"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestRestarts: whatever of the node is restarted, whenever, pods come out of it as
// the policy wants them.
func TestRestarts(t *testing.T) {
	c := cluster.Start(t, newest, byClass())
	addClass(t, c, "batten")
	t.Run("under load", func(t *testing.T) { checkUnderLoad(t, c.In(t)) })
	t.Run("upgrade and rollback", func(t *testing.T) { checkUpgrade(t, c.In(t)) })
	t.Run("shim missing", func(t *testing.T) { checkShimMissing(t, c.In(t)) })
	t.Run("disk full", func(t *testing.T) { checkDiskFull(t, c.In(t)) })
	t.Run("reboot", func(t *testing.T) { checkReboot(t, c.In(t)) })
}

// checkUnderLoad restarts containerd, by a crash and in order, and the kubelet while
// pods are made and deleted.
func checkUnderLoad(t *testing.T, c *cluster.Cluster) {
	const n = 16
	var pods []*corev1.Pod
	for i := range n {
		pod := of("batten", cluster.Pod(fmt.Sprintf("load-%d", i), probe...))
		pod.Spec.RestartPolicy = corev1.RestartPolicyAlways
		pods = append(pods, c.Create(pod))
		switch i {
		case 4:
			c.KillDaemon()
			c.StartDaemon()
		case 15:
			c.Stop("kubelet", syscall.SIGKILL)
			c.StartKubelet()
		case 12:
			c.Reload()
		}
	}
	for i, pod := range pods {
		pod = c.Running(pod)
		if mode := c.Seccomp(pod, "main"); mode != "2" {
			t.Errorf("%s: Seccomp: %s", pod.Name, mode)
		}
		if out := c.Exec(pod, "main", "/probe", "call", "getpid", "keyctl"); out != "getpid: OK\nkeyctl: EPERM\n" {
			t.Errorf("%s: an exec said %q", pod.Name, out)
		}
		pods[i] = pod
	}
	for _, pod := range pods {
		c.Delete(pod)
	}
}

// shimOf is the file that a pod's shim executes.
func shimOf(t *testing.T, c *cluster.Cluster, pod *corev1.Pod) string {
	t.Helper()
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", node.Parent(c.Pids(pod)["main"])))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(filepath.Dir(exe))
}

// checkUpgrade puts another version in the shim's place, and the first back, with
// pods running. Each pod stays with the shim that started it, and can be used and
// deleted; the next one gets what is there.
func checkUpgrade(t *testing.T, c *cluster.Cluster) {
	const name = "containerd-shim-batten-v2"
	next := filepath.Join(c.Dir, "next")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X github.com/batten-runtime/batten/internal/version.Version=next", "-o", filepath.Join(next, name), "./cmd/"+name)
	build.Dir, build.Env = node.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	put := func(target string) {
		link := filepath.Join(c.Bin, name)
		if err := os.Symlink(target, link+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+".new", link); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name, want string) *corev1.Pod {
		pod := c.Run(of("batten", cluster.Pod(name, probe...)))
		if shim := shimOf(t, c, pod); shim != want {
			t.Errorf("%s has the shim of %s, want that of %s", name, shim, want)
		}
		return pod
	}
	first := run("before", "bin")
	put(filepath.Join(next, name))
	second := run("upgraded", "next")
	put(node.Shim(t))
	third := run("rolled-back", "bin")
	c.Reload()
	for _, pod := range []*corev1.Pod{first, second, third} {
		if out := c.Exec(pod, "main", "/probe", "call", "getpid", "keyctl"); out != "getpid: OK\nkeyctl: EPERM\n" {
			t.Errorf("%s: an exec said %q", pod.Name, out)
		}
		c.Delete(pod)
	}
}

// checkShimMissing: without the binary the pod does not start, says why, and starts by
// itself when the binary is back. Pods of the stock handler do not care.
func checkShimMissing(t *testing.T, c *cluster.Cluster) {
	link := filepath.Join(c.Bin, "containerd-shim-batten-v2")
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	pod := c.Create(of("batten", cluster.Pod("no-shim", probe...)))
	wantSaid(t, c, c.Run(cluster.Pod("no-shim-stock", probe...)), free)
	c.AwaitEvent(pod, "FailedCreatePodSandBox", "failed to start shim", "containerd-shim-batten-v2: no such file or directory")
	if err := os.Symlink(node.Shim(t), link); err != nil {
		t.Fatal(err)
	}
	wantSaid(t, c, c.Running(pod), byDefaultFilter)
}

// checkDiskFull: where no record can be written no container starts; with room again
// the same pod starts by itself.
func checkDiskFull(t *testing.T, c *cluster.Cluster) {
	run(t, c, "filling /run/batten", "sh", "-c", "mkdir -p /run/batten && mount -t tmpfs -o size=64k,mode=700 full /run/batten && cat /dev/zero >/run/batten/all-of-it || true")
	pod := c.Create(of("batten", cluster.Pod("full", probe...)))
	wantSaid(t, c, c.Run(cluster.Pod("full-stock", probe...)), free)
	c.AwaitEvent(pod, "batten: container refused: its record cannot be written: ", "no space left on device")
	run(t, c, "making room", "umount", "/run/batten")
	wantSaid(t, c, c.Running(pod), byDefaultFilter)
}

// checkReboot kills all that runs on the node and empties what a boot empties, then
// starts it over the same directories: the pods that are to run do so again.
func checkReboot(t *testing.T, c *cluster.Cluster) {
	kept := of("batten", cluster.Pod("kept", probe...))
	kept.Spec.RestartPolicy = corev1.RestartPolicyAlways
	kept = c.Run(kept)
	control := of("", cluster.Pod("kept-stock", probe...))
	control.Spec.RestartPolicy = corev1.RestartPolicyAlways
	control = c.Run(control)
	before := c.Pids(kept)["main"]
	began := procfs.StartTime(before)

	c.Crash()
	// Another process may have its number by now, and nobody may have waited for it yet.
	c.Eventually(10*time.Second, "the end of the container", func() error {
		if procfs.StartTime(before) != began {
			return nil
		}
		return node.Gone(before)
	})
	if left, _ := filepath.Glob(c.Path("/run/*")); len(left) > 0 {
		t.Fatalf("left in /run: %s", strings.Join(left, " "))
	}
	c.Boot()
	for pod, mode := range map[*corev1.Pod]string{kept: "2", control: "0"} {
		c.Eventually(time.Minute, "the return of "+pod.Name, func() error {
			now, err := c.Client.CoreV1().Pods("default").Get(c.Ctx(), pod.Name, metav1.GetOptions{})
			if err == nil && (len(now.Status.ContainerStatuses) == 0 || now.Status.ContainerStatuses[0].State.Running == nil || now.Status.ContainerStatuses[0].RestartCount == 0) {
				err = fmt.Errorf("%+v", now.Status.ContainerStatuses)
			}
			return err
		})
		if got := c.Seccomp(pod, "main"); got != mode {
			t.Errorf("%s after the reboot: Seccomp: %s, want %s", pod.Name, got, mode)
		}
	}
	if rec := c.Record(t, cluster.CRI, c.ContainerID(kept, "main")); rec.Pid != c.Pids(kept)["main"] {
		t.Errorf("its record is of process %d", rec.Pid)
	}
}
