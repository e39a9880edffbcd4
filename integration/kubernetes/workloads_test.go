package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// tell is a command that writes the Seccomp mode of its own process to a file, whole: a probe
// does so every second, while the test reads.
func tell(file string) []string {
	return []string{"/bin/sh", "-c", fmt.Sprintf("/bin/grep Seccomp: /proc/self/status >/told/%[1]s.new && /bin/busybox mv /told/%[1]s.new /told/%[1]s", file)}
}

// wholePod is a pod with every way in which Kubernetes starts a process in one.
func wholePod(name string) *corev1.Pod {
	pod := cluster.Pod(name, append([]string{"/probe"}, "pause")...)
	pod.Spec.Volumes = []corev1.Volume{{Name: "told", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	first, sidecar := cluster.Container("init", tell("init")...), cluster.Container("sidecar")
	sidecar.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	pod.Spec.InitContainers = []corev1.Container{first, sidecar}
	main := &pod.Spec.Containers[0]
	main.Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: tell("hook")}}}
	main.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: tell("exec-probe")}}, PeriodSeconds: 1, TimeoutSeconds: 10}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			list[i].VolumeMounts = []corev1.VolumeMount{{Name: "told", MountPath: "/told"}}
		}
	}
	return pod
}

// checkWholePod looks at each process of such a pod, under the stock class and under
// Batten's.
func checkWholePod(t *testing.T, c *cluster.Cluster, stock, batten string) {
	for class, mode := range map[string]string{stock: "0", batten: "2"} {
		pod := c.Create(of(class, wholePod("whole-"+mode)))
		pod = c.Await(pod, "readiness", func(p *corev1.Pod) bool {
			return len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].Ready
		})
		ephemeral := corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon(cluster.Container("debugger"))}
		pod.Spec.EphemeralContainers = append(pod.Spec.EphemeralContainers, ephemeral)
		pod, err := c.Client.CoreV1().Pods(pod.Namespace).UpdateEphemeralContainers(c.Ctx(), pod.Name, pod, metav1.UpdateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c.Await(pod, "the debugger", func(p *corev1.Pod) bool {
			return len(p.Status.EphemeralContainerStatuses) == 1 && p.Status.EphemeralContainerStatuses[0].State.Running != nil
		})
		for _, container := range []string{"main", "sidecar", "debugger"} {
			if got := c.Seccomp(pod, container); got != mode {
				t.Errorf("container %q of a pod of class %q: Seccomp: %s, want %s", container, class, got, mode)
			}
		}
		for _, file := range []string{"init", "hook", "exec-probe"} {
			if got := c.Exec(pod, "main", "/bin/cat", "/told/"+file); got != "Seccomp:\t"+mode+"\n" {
				t.Errorf("%s of a pod of class %q wrote %q, want mode %s", file, class, got, mode)
			}
		}
		if got := c.Exec(pod, "main", "/bin/grep", "Seccomp:", "/proc/self/status"); got != "Seccomp:\t"+mode+"\n" {
			t.Errorf("kubectl exec in a pod of class %q wrote %q, want mode %s", class, got, mode)
		}
		c.Delete(pod)
	}
}

// checkStaticPod: what the kubelet starts from a file comes by the same way.
func checkStaticPod(t *testing.T, c *cluster.Cluster) {
	pod := cluster.Pod("static", probe...)
	pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	text, err := yaml.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(c.Dir, "manifests/static.yaml")
	write(t, file, string(text))
	defer os.Remove(file)
	pod.Name += "-" + cluster.NodeName
	wantSaid(t, c, c.Running(pod), byDefaultFilter)
}

// checkDaemonSet: one that mounts on the host, as CNI and CSI drivers do, still can.
func checkDaemonSet(t *testing.T, c *cluster.Cluster) {
	labels := map[string]string{"app": "driver"}
	pod := cluster.Pod("driver", "/bin/sh", "-c", "/bin/busybox mount -t tmpfs driver /host/volume && echo mounted && /probe call keyctl -- pause")
	pod.Spec.RestartPolicy = corev1.RestartPolicyAlways
	target := filepath.Join(c.Dir, "csi")
	if err := os.MkdirAll(filepath.Join(target, "volume"), 0o755); err != nil {
		t.Fatal(err)
	}
	pod.Spec.Volumes = []corev1.Volume{{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: target}}}}
	main := &pod.Spec.Containers[0]
	main.VolumeMounts = []corev1.VolumeMount{{Name: "host", MountPath: "/host", MountPropagation: new(corev1.MountPropagationBidirectional)}}
	main.SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
	set := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "driver", Namespace: "default"},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod.Spec},
		},
	}
	if _, err := c.Client.AppsV1().DaemonSets("default").Create(c.Ctx(), set, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	made := ofLabel(t, c, "app=driver", 1)[0]
	c.Running(&made)
	c.Eventually(20*time.Second, "the mount", func() error {
		if out := c.Logs(&made, "main"); out != "mounted\nkeyctl: EPERM\n" {
			return fmt.Errorf("it said %q", out)
		}
		return nil
	})
	if mode := c.Seccomp(&made, "main"); mode != "2" {
		t.Errorf("Seccomp: %s", mode)
	}
	mounts, err := c.Command("cat", "/proc/self/mounts").Output()
	if err != nil || !strings.Contains(string(mounts), "driver "+target+"/volume tmpfs") {
		t.Errorf("the mount is not on the node (%v)", err)
	}
	if err := c.Command("umount", target+"/volume").Run(); err != nil {
		t.Error(err)
	}
	if err := c.Client.AppsV1().DaemonSets("default").Delete(c.Ctx(), "driver", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// ofLabel waits for pods with a label.
func ofLabel(t *testing.T, c *cluster.Cluster, selector string, n int) (pods []corev1.Pod) {
	t.Helper()
	c.Eventually(time.Minute, "pods of "+selector, func() error {
		list, err := c.Client.CoreV1().Pods("").List(c.Ctx(), metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return err
		}
		if pods = list.Items; len(pods) < n {
			return fmt.Errorf("there are %d", len(pods))
		}
		return nil
	})
	return pods
}

// checkJobs: pods that end at once end well, and were filtered when they ran.
func checkJobs(t *testing.T, c *cluster.Cluster) {
	const n = 10
	pod := cluster.Pod("short", "/bin/grep", "Seccomp:", "/proc/self/status")
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "short", Namespace: "default"},
		Spec: batchv1.JobSpec{
			Completions: new(int32(n)), Parallelism: new(int32(n)), BackoffLimit: new(int32(0)),
			Template: corev1.PodTemplateSpec{Spec: pod.Spec},
		},
	}
	if _, err := c.Client.BatchV1().Jobs("default").Create(c.Ctx(), job, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.Eventually(time.Minute, "the job", func() error {
		j, err := c.Client.BatchV1().Jobs("default").Get(c.Ctx(), "short", metav1.GetOptions{})
		if err == nil && j.Status.Succeeded != n {
			err = fmt.Errorf("%d of %d have ended well, %d have failed", j.Status.Succeeded, n, j.Status.Failed)
		}
		return err
	})
	for _, p := range ofLabel(t, c, "job-name=short", n) {
		if out := c.Logs(&p, "main"); out != "Seccomp:\t2\n" {
			t.Errorf("%s said %q", p.Name, out)
		}
	}
}
