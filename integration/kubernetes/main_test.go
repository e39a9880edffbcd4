package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/integration/node"
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// newest is the containerd that everything is tested with.
const newest = "containerd-2.4"

// byClass has Batten beside the stock default; byDefault the other way round.
func byClass() []node.Handler {
	return []node.Handler{{Name: "runc", Type: node.Stock}, {Name: "batten", Type: node.Batten}}
}

func byDefault(t *testing.T) []node.Handler {
	return []node.Handler{{Name: "runc", Type: node.Stock, Path: node.Shim(t)}, {Name: "stock", Type: node.Stock}}
}

// addClass makes a RuntimeClass.
func addClass(t *testing.T, c *cluster.Cluster, name string) {
	t.Helper()
	_, err := c.Client.NodeV1().RuntimeClasses().Create(c.Ctx(), &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Handler: name}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// of sets a pod's RuntimeClass; none for "".
func of(class string, pod *corev1.Pod) *corev1.Pod {
	if class != "" {
		pod.Spec.RuntimeClassName = new(class)
	}
	return pod
}

// addNamespace makes a namespace with labels, name and value in turn.
func addNamespace(t *testing.T, c *cluster.Cluster, name string, labels map[string]string) {
	t.Helper()
	_, err := c.Client.CoreV1().Namespaces().Create(c.Ctx(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.AwaitServiceAccount(name)
}

// setPolicy writes the node's policy.
func setPolicy(t *testing.T, c *cluster.Cluster, text string) {
	t.Helper()
	write(t, filepath.Join(c.Etc, "policy.yaml"), text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// probe is what containers run: the calls getpid, keyctl and unshare, each by name,
// and then they wait.
var probe = []string{"/probe", "call", "getpid", "keyctl", "unshare", "--", "pause"}

// said is what probe writes: getpid always works.
func said(keyctl, unshare string) string {
	return fmt.Sprintf("getpid: OK\nkeyctl: %s\nunshare: %s\n", keyctl, unshare)
}
