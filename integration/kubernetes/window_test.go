package kubernetes

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/internal/daemonset"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var startupTaint = corev1.Taint{Key: daemonset.Taint, Effect: corev1.TaintEffectNoSchedule}

// nodeEvents are what Batten's events say of the node, by their reason.
func nodeEvents(c *cluster.Cluster) (out map[string][]string, err error) {
	list, err := c.Client.CoreV1().Events("default").List(c.Ctx(), metav1.ListOptions{FieldSelector: "involvedObject.kind=Node,source=batten,involvedObject.name=" + cluster.NodeName})
	if err != nil {
		return nil, err
	}
	out = make(map[string][]string)
	for _, e := range list.Items {
		out[e.Reason] = append(out[e.Reason], e.Message)
	}
	return out, nil
}

// wantNodeEvent waits until an event on the node has the reason and says a part.
func wantNodeEvent(t *testing.T, c *cluster.Cluster, reason, part string) {
	t.Helper()
	c.Eventually(time.Minute, "the event "+reason, func() error {
		events, err := nodeEvents(c)
		if err == nil && !strings.Contains(strings.Join(events[reason], "\n"), part) {
			err = fmt.Errorf("the events are %q", events)
		}
		return err
	})
}

// checkNewNode: a node that comes with the taint gets no pod before Batten is its default, but
// those that tolerate the taint. These are counted until they are gone. No pod can go without
// Batten, the DaemonSet's own next one included.
func checkNewNode(t *testing.T, c *cluster.Cluster, before []byte) {
	if err := c.Client.CoreV1().Nodes().Delete(c.Ctx(), cluster.NodeName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.SetKubelet(cluster.Kubelet{Taints: []corev1.Taint{startupTaint}})
	c.Ready()
	waiting := c.Create(cluster.Pod("unaware", probe...))
	early := cluster.Pod("tolerates", probe...)
	early.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	early = c.Run(early)
	wantSaid(t, c, early, free)
	c.AwaitEvent(waiting, "FailedScheduling", "untolerated taint")

	deployed(t, c, "default")
	waiting = c.Running(waiting)
	wantSaid(t, c, waiting, byDefaultFilter)
	n := nodeOf(t, c)
	for _, taint := range n.Spec.Taints {
		if taint.Key == daemonset.Taint {
			t.Errorf("the node has the taint %+v", taint)
		}
	}
	if ready := n.Labels[daemonset.Ready]; ready != "true" {
		t.Errorf("the node is labelled %s=%s", daemonset.Ready, ready)
	}
	wantNodeEvent(t, c, "BattenOlderPods", "pods with a shim that is not Batten's: 2;")
	wantOlder(t, c, system+"/"+agentPod(t, c).Name, "default/tolerates")
	c.Delete(early)
	kubectl(t, c, "delete", "pod", "-n", system, agentPod(t, c).Name)
	kubectl(t, c, "rollout", "status", "-n", system, "daemonset/batten", "--timeout=60s")
	wantOlder(t, c)
	if mode := c.Seccomp(agentPod(t, c), "batten"); mode != "2" {
		t.Errorf("the DaemonSet's own pod: Seccomp: %s", mode)
	}
	c.Delete(waiting)
	undeployed(t, c, "default", before)
	if _, err := os.Stat(c.Path("/opt/batten/bin/containerd-shim-batten-v2")); err != nil {
		t.Errorf("the DaemonSet's own pod ran under Batten to its end, and its shim is gone: %v", err)
	}
	c.SetKubelet(cluster.Kubelet{})
}

// wantOlder waits until the node counts and lists these pods as older than the installation.
func wantOlder(t *testing.T, c *cluster.Cluster, want ...string) {
	t.Helper()
	c.Eventually(time.Minute, "the older pods", func() error {
		n := nodeOf(t, c)
		var listed []struct{ Namespace, Name string }
		if text := n.Annotations[daemonset.Older]; text != "" {
			if err := json.Unmarshal([]byte(text), &listed); err != nil {
				return err
			}
		}
		var got []string
		for _, pod := range listed {
			got = append(got, pod.Namespace+"/"+pod.Name)
		}
		// The order is that of their namespaces.
		if fmt.Sprint(got) != fmt.Sprint(want) || n.Labels[daemonset.Older] != fmt.Sprint(len(want)) {
			return fmt.Errorf("the node counts %q: %q", n.Labels[daemonset.Older], got)
		}
		return nil
	})
}
