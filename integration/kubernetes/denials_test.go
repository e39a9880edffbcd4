package kubernetes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/internal/denials"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// denied is a pod in which every way to start a process makes a call that the default profile
// denies: init, sidecar, main and ephemeral container, hook and probe.
func denied(name string) *corev1.Pod {
	once, stays := []string{"/probe", "call", "keyctl"}, []string{"/probe", "call", "keyctl", "--", "pause"}
	pod := cluster.Pod(name, stays...)
	sidecar := cluster.Container("sidecar", stays...)
	sidecar.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	pod.Spec.InitContainers = []corev1.Container{cluster.Container("init", once...), sidecar}
	main := &pod.Spec.Containers[0]
	main.Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: once}}}
	main.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: once}}, PeriodSeconds: 1, TimeoutSeconds: 10}
	return pod
}

// checkDenials: what is denied in a pod is seen under the pod's and the container's names,
// however the process was started; and in an audit the pod does what it does without Batten.
func checkDenials(t *testing.T, c *cluster.Cluster) {
	for _, tt := range []struct{ name, policy, said, result string }{
		{name: "counted", policy: "denials: Count\n", said: "EPERM", result: "EPERM"},
		{name: "audited", policy: "mode: Audit\n", said: "OK", result: "would be EPERM"},
	} {
		log := filepath.Join(c.Etc, tt.name+".jsonl")
		setPolicy(t, c, "version: 1\n"+tt.policy+"log: "+log+"\n")
		pod := c.Create(denied(tt.name))
		pod = c.Await(pod, "readiness", func(p *corev1.Pod) bool {
			return len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].Ready
		})
		ephemeral := corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon(cluster.Container("debugger", "/probe", "call", "keyctl", "--", "pause"))}
		pod.Spec.EphemeralContainers = append(pod.Spec.EphemeralContainers, ephemeral)
		pod, err := c.Client.CoreV1().Pods(pod.Namespace).UpdateEphemeralContainers(c.Ctx(), pod.Name, pod, metav1.UpdateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c.Await(pod, "the debugger", func(p *corev1.Pod) bool {
			return len(p.Status.EphemeralContainerStatuses) == 1 && p.Status.EphemeralContainerStatuses[0].State.Running != nil
		})
		for _, container := range []string{"init", "sidecar", "main", "debugger"} {
			if got := c.Logs(pod, container); got != "keyctl: "+tt.said+"\n" {
				t.Errorf("%s: %s said %q", tt.name, container, got)
			}
		}
		want := []string{"debugger", "init", "main", "sidecar"}
		c.Eventually(20*time.Second, "the log", func() error {
			if got := seenIn(t, log, tt.name, tt.result); !slices.Equal(got, want) {
				return fmt.Errorf("denials are seen of %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
			}
			return nil
		})
		checkCounted(t, c, pod)
		c.Delete(pod)
	}
}

// seenIn returns the containers of a pod of which the log has a denied keyctl, sorted.
func seenIn(t *testing.T, log, pod, result string) (containers []string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for text := range bytes.Lines(text) {
		var line denials.Line
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if line.Syscall == "keyctl" && line.PodNamespace == "default" && line.PodName == pod && line.Result == result && line.Process == "probe" {
			containers = append(containers, line.ContainerName)
		}
	}
	slices.Sort(containers)
	return slices.Compact(containers)
}

// checkCounted: hook and probes of the main container are counted with it.
func checkCounted(t *testing.T, c *cluster.Cluster, pod *corev1.Pod) {
	t.Helper()
	store := denials.Store{Dir: c.Path("/run/batten")}
	c.Eventually(30*time.Second, "counts of hook and probes", func() error {
		counts, err := store.Read("k8s.io", c.ContainerID(pod, "main"))
		if err != nil {
			return err
		}
		for _, d := range counts.Denials { // the runtime itself is denied calls, too
			if d.Syscall == "keyctl" && d.Count >= 4 && counts.Broken == "" {
				return nil
			}
		}
		return fmt.Errorf("%+v", counts)
	})
}
