package cluster

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CRI is the containerd namespace of Kubernetes.
const CRI = "k8s.io"

// Pod is a pod of one container, main, that runs args or waits.
func Pod(name string, args ...string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec: corev1.PodSpec{
			Containers:                    []corev1.Container{Container("main", args...)},
			RestartPolicy:                 corev1.RestartPolicyNever,
			AutomountServiceAccountToken:  new(false),
			TerminationGracePeriodSeconds: new(int64(1)),
		},
	}
}

// Container is a container of the test image that runs args or waits.
func Container(name string, args ...string) corev1.Container {
	if len(args) == 0 {
		args = []string{"/probe", "pause"}
	}
	return corev1.Container{Name: name, Image: node.Image, ImagePullPolicy: corev1.PullNever, Command: args}
}

// Create makes a pod, or fails the test.
func (c *Cluster) Create(pod *corev1.Pod) *corev1.Pod {
	c.t.Helper()
	made, err := c.Client.CoreV1().Pods(pod.Namespace).Create(c.Ctx(), pod, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatalf("pod %s: %v", pod.Name, err)
	}
	return made
}

// Await waits until a pod is as the condition wants it, and returns it.
func (c *Cluster) Await(pod *corev1.Pod, what string, condition func(*corev1.Pod) bool) (now *corev1.Pod) {
	c.t.Helper()
	c.Eventually(time.Minute, what+" of pod "+pod.Name, func() (err error) {
		if now, err = c.Client.CoreV1().Pods(pod.Namespace).Get(c.Ctx(), pod.Name, metav1.GetOptions{}); err != nil {
			return err
		}
		if !condition(now) {
			return fmt.Errorf("it is %s: %s\n%s", now.Status.Phase, now.Status.Reason, strings.Join(c.Events(now), "\n"))
		}
		return nil
	})
	return now
}

// Running waits until all of a pod's containers run.
func (c *Cluster) Running(pod *corev1.Pod) *corev1.Pod {
	c.t.Helper()
	return c.Await(pod, "the start", func(p *corev1.Pod) bool {
		for _, s := range p.Status.ContainerStatuses {
			if s.State.Running == nil {
				return false
			}
		}
		return p.Status.Phase == corev1.PodRunning
	})
}

// Run makes a pod and waits until it runs.
func (c *Cluster) Run(pod *corev1.Pod) *corev1.Pod {
	c.t.Helper()
	return c.Running(c.Create(pod))
}

// Ended waits until a pod has ended, and returns what its container main wrote.
func (c *Cluster) Ended(pod *corev1.Pod) string {
	c.t.Helper()
	pod = c.Await(pod, "the end", func(p *corev1.Pod) bool {
		return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	})
	return c.Logs(pod, "main")
}

// Logs is what a container wrote.
func (c *Cluster) Logs(pod *corev1.Pod, container string) string {
	c.t.Helper()
	data, err := c.Client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container}).Do(c.Ctx()).Raw()
	if err != nil {
		c.t.Fatalf("the logs of %s: %v", pod.Name, err)
	}
	return string(data)
}

// Events are what the events of a pod say, as kubectl describe shows them.
func (c *Cluster) Events(pod *corev1.Pod) (out []string) {
	list, err := c.Client.CoreV1().Events(pod.Namespace).List(c.Ctx(), metav1.ListOptions{FieldSelector: "involvedObject.name=" + pod.Name})
	if err != nil {
		return []string{err.Error()}
	}
	for _, e := range list.Items {
		out = append(out, e.Reason+": "+e.Message)
	}
	return out
}

// AwaitEvent waits until one of a pod's events says all of parts.
func (c *Cluster) AwaitEvent(pod *corev1.Pod, parts ...string) {
	c.t.Helper()
	c.Eventually(time.Minute, fmt.Sprintf("an event of pod %s that says %q", pod.Name, parts), func() error {
		events := c.Events(pod)
	next:
		for _, e := range events {
			for _, part := range parts {
				if !strings.Contains(e, part) {
					continue next
				}
			}
			return nil
		}
		return fmt.Errorf("they say:\n%s", strings.Join(events, "\n"))
	})
}

// Delete deletes a pod and waits until it is gone.
func (c *Cluster) Delete(pod *corev1.Pod) {
	c.t.Helper()
	pods := c.Client.CoreV1().Pods(pod.Namespace)
	if err := pods.Delete(c.Ctx(), pod.Name, metav1.DeleteOptions{}); err != nil {
		c.t.Errorf("deleting pod %s: %v", pod.Name, err)
	}
	c.Eventually(time.Minute, "the end of pod "+pod.Name, func() error {
		if now, err := pods.Get(c.Ctx(), pod.Name, metav1.GetOptions{}); err == nil && now.UID == pod.UID {
			return fmt.Errorf("it is %s", now.Status.Phase)
		}
		return nil
	})
}

// Sandbox is what Pids calls a pod's sandbox.
const Sandbox = ""

// Pids are the first processes of a pod's running containers, by their names, and of
// its sandbox.
func (c *Cluster) Pids(pod *corev1.Pod) map[string]int {
	c.t.Helper()
	out := make(map[string]int)
	ctx := namespaces.WithNamespace(c.Ctx(), CRI)
	for id, name := range c.containers(pod) {
		if container, err := c.Node.Client.LoadContainer(ctx, id); err == nil {
			if task, err := container.Task(ctx, nil); err == nil {
				out[name] = int(task.Pid())
			}
		}
	}
	return out
}

// containers are the names of a pod's running containers by their ids.
func (c *Cluster) containers(pod *corev1.Pod) map[string]string {
	c.t.Helper()
	ctx := namespaces.WithNamespace(c.Ctx(), CRI)
	list, err := c.Node.Client.Containers(ctx, fmt.Sprintf(`labels."io.kubernetes.pod.uid"==%q`, pod.UID))
	if err != nil {
		c.t.Fatal(err)
	}
	out := make(map[string]string)
	for _, container := range list {
		info, err := container.Info(ctx)
		if err != nil {
			continue
		}
		if task, err := container.Task(ctx, nil); err == nil && task.Pid() != 0 {
			out[container.ID()] = info.Labels["io.kubernetes.container.name"]
		}
	}
	return out
}

// Seccomp is what /proc says of a container's first process.
func (c *Cluster) Seccomp(pod *corev1.Pod, container string) (mode string) {
	c.t.Helper()
	pid, ok := c.Pids(pod)[container]
	if !ok {
		c.t.Fatalf("pod %s: no container %q runs", pod.Name, container)
	}
	c.WaitForExecOf(pid)
	mode, _ = node.Seccomp(pid)
	return mode
}

// Exec runs a command in a container by way of the API server and the kubelet. It waits
// for a kubelet that has just been started again and does not have its pods yet.
func (c *Cluster) Exec(pod *corev1.Pod, container string, args ...string) (said string) {
	c.t.Helper()
	c.Eventually(time.Minute, "the kubelet to know pod "+pod.Name, func() error {
		out, err := c.Kubectl(append([]string{"exec", "-n", pod.Namespace, pod.Name, "-c", container, "--"}, args...)...).CombinedOutput()
		said = string(out)
		if err != nil {
			said = fmt.Sprintf("%v: %s", err, out)
		}
		if err != nil && strings.HasSuffix(said, "unable to upgrade connection: pod does not exist\n") {
			return errors.New(said)
		}
		return nil
	})
	return said
}
