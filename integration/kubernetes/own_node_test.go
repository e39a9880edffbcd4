package kubernetes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// agentToken is a token of the DaemonSet's service account, bound to its pod or to nothing.
func agentToken(t *testing.T, c *cluster.Cluster, pod *corev1.Pod) string {
	t.Helper()
	request := new(authenticationv1.TokenRequest)
	if pod != nil {
		request.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}
	}
	answer, err := c.Client.CoreV1().ServiceAccounts(system).CreateToken(c.Ctx(), "batten", request, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status.Token
}

// checkOwnNode: what somebody can do who has the token of a pod of the DaemonSet. Each refusal
// has what is allowed beside it.
func checkOwnNode(t *testing.T, c *cluster.Cluster) {
	const other = "other-node"
	_, err := c.Client.CoreV1().Nodes().Create(c.Ctx(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: other}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Client.CoreV1().Nodes().Delete(c.Ctx(), other, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	// Something of others on the node, to be left.
	mine := nodeOf(t, c).DeepCopy()
	mine.Annotations["example.com/of"], mine.Labels["example.com/of"] = "others", "others"
	mine.Spec.Taints = append(mine.Spec.Taints, startupTaint, corev1.Taint{Key: "example.com/of", Value: "others", Effect: corev1.TaintEffectPreferNoSchedule})
	if _, err := c.Client.CoreV1().Nodes().Update(c.Ctx(), mine, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	bound, loose := c.As(agentToken(t, c, agentPod(t, c))), c.As(agentToken(t, c, nil))
	const ours = `{"metadata":{"labels":{"batten-runtime.github.io/test":"1"},"annotations":{"batten-runtime.github.io/test":"1"}}}`
	const others = `{"effect":"PreferNoSchedule","key":"example.com/of","value":"others"}`
	for _, row := range []struct {
		name, node, patch, refused string
		as                         kubernetes.Interface
	}{
		{name: "own node", patch: ours},
		{name: "own node, taken back", patch: `{"metadata":{"labels":{"batten-runtime.github.io/test":null},"annotations":{"batten-runtime.github.io/test":null}}}`},
		{name: "other node", node: other, patch: ours, refused: "Batten's pod on node node may not change node other-node"},
		{name: "no pod's token", as: loose, patch: ours, refused: "this token of Batten's DaemonSet is not bound to a pod on a node"},
		{name: "another label", patch: `{"metadata":{"labels":{"example.com/of":"batten"}}}`, refused: "may change no label but batten-runtime.github.io/*"},
		{name: "another label, taken off", patch: `{"metadata":{"labels":{"example.com/of":null}}}`, refused: "may change no label but batten-runtime.github.io/*"},
		{name: "a new label, empty", patch: `{"metadata":{"labels":{"node-role.kubernetes.io/control-plane":""}}}`, refused: "may change no label but batten-runtime.github.io/*"},
		{name: "another annotation", patch: `{"metadata":{"annotations":{"example.com/of":"batten"}}}`, refused: "may change no annotation but batten-runtime.github.io/*"},
		{name: "another annotation, taken off", patch: `{"metadata":{"annotations":{"example.com/of":null}}}`, refused: "may change no annotation but batten-runtime.github.io/*"},
		{name: "a new annotation, empty", patch: `{"metadata":{"annotations":{"example.com/new":""}}}`, refused: "may change no annotation but batten-runtime.github.io/*"},
		{name: "all taints off", patch: `{"spec":{"taints":null}}`, refused: "may add no taint, and take off none but batten-runtime.github.io/*"},
		{name: "another taint", patch: `{"spec":{"taints":[{"effect":"NoExecute","key":"example.com/of","value":"others"}]}}`, refused: "may add no taint, and take off none but batten-runtime.github.io/*"},
		{name: "our taint off", patch: `{"spec":{"taints":[` + others + `]}}`},
		{name: "our taint on", patch: `{"spec":{"taints":[` + others + `,{"effect":"NoExecute","key":"batten-runtime.github.io/agent-not-ready"}]}}`, refused: "may add no taint, and take off none but batten-runtime.github.io/*"},
		{name: "cordon", patch: `{"spec":{"unschedulable":true}}`, refused: "may change nothing of a node but labels, annotations and taints"},
		{name: "a finalizer", patch: `{"metadata":{"finalizers":["example.com/of"]}}`, refused: "may change nothing of a node but labels, annotations and taints"},
	} {
		client, name := row.as, row.node
		if client == nil {
			client = bound
		}
		if name == "" {
			name = cluster.NodeName
		}
		patch := func() error {
			_, err := client.CoreV1().Nodes().Patch(c.Ctx(), name, types.MergePatchType, []byte(row.patch), metav1.PatchOptions{})
			return err
		}
		err := patch()
		switch {
		case row.refused == "" && err != nil:
			t.Errorf("%s: %v", row.name, err)
		case row.refused != "" && (err == nil || !strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'batten-node' with binding 'batten-node' denied request: ") || !strings.Contains(err.Error(), row.refused)):
			t.Errorf("%s: got %v\nwant %s", row.name, err, row.refused)
		}
	}
	checkOwnEvents(t, c, bound)
	checkReadsNothing(t, c, bound)
	kubectl(t, c, "label", "node", cluster.NodeName, "example.com/of-")
	kubectl(t, c, "annotate", "node", cluster.NodeName, "example.com/of-")
	kubectl(t, c, "taint", "node", cluster.NodeName, "example.com/of-")
}

// checkOwnEvents: events about the own node alone, and none of others are changed.
func checkOwnEvents(t *testing.T, c *cluster.Cluster, bound kubernetes.Interface) {
	const refused = "Batten's pod on node node may make events about that node alone"
	event := func(name, kind, about, component string) *corev1.Event {
		now := metav1.NewTime(time.Now())
		return &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}, InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: kind, Name: about},
			Reason: "Test", Message: "a test", Type: "Normal", Source: corev1.EventSource{Component: component}, FirstTimestamp: now, LastTimestamp: now, Count: 1,
		}
	}
	for name, row := range map[string]struct {
		event   *corev1.Event
		refused string
	}{
		"own":             {event: event("batten-own", "Node", cluster.NodeName, "batten")},
		"other node":      {event: event("batten-other", "Node", "other-node", "batten"), refused: refused},
		"other kind":      {event: event("batten-kind", "Pod", cluster.NodeName, "batten"), refused: refused},
		"other component": {event: event("batten-component", "Node", cluster.NodeName, "kubelet"), refused: refused},
	} {
		if _, err := bound.CoreV1().Events("default").Create(c.Ctx(), row.event, metav1.CreateOptions{}); (err == nil) != (row.refused == "") || err != nil && !strings.Contains(err.Error(), row.refused) {
			t.Errorf("event, %s: %v", name, err)
		}
	}
	// The control makes what the DaemonSet may not change.
	if _, err := c.Client.CoreV1().Events("default").Create(c.Ctx(), event("of-kubelet", "Node", cluster.NodeName, "kubelet"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"batten-own": "", "of-kubelet": refused} {
		_, err := bound.CoreV1().Events("default").Patch(c.Ctx(), name, types.MergePatchType, []byte(`{"count":2,"source":{"component":"batten"}}`), metav1.PatchOptions{})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("changing the event %s: %v", name, err)
		}
	}
}

// checkReadsNothing: the token reads no node, no event, no pod and no Secret.
func checkReadsNothing(t *testing.T, c *cluster.Cluster, bound kubernetes.Interface) {
	list := metav1.ListOptions{}
	core := bound.CoreV1()
	for what, read := range map[string]func() error{
		"nodes":   func() error { _, err := core.Nodes().List(c.Ctx(), list); return err },
		"events":  func() error { _, err := core.Events("default").List(c.Ctx(), list); return err },
		"pods":    func() error { _, err := core.Pods(system).List(c.Ctx(), list); return err },
		"secrets": func() error { _, err := core.Secrets(system).List(c.Ctx(), list); return err },
	} {
		if err := read(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("cannot list resource %q", what)) {
			t.Errorf("reading %s: %v", what, err)
		}
	}
	if _, err := bound.AppsV1().DaemonSets(system).Get(c.Ctx(), "batten", metav1.GetOptions{}); err != nil {
		t.Errorf("the control, its DaemonSet: %v", err)
	}
}
