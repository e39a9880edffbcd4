package kubernetes

import (
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/cluster"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// releases are those of Kubernetes and containerd that RuntimeClasses are tried with: the
// newest, and the last of Kubernetes that takes containerd 1.7.
var releases = []struct {
	kubernetes, containerd string
	options                []cluster.Option
	mutate                 string
}{
	{kubernetes: "1.37", containerd: newest, mutate: "mutate"},
	{
		kubernetes: "1.35", containerd: "containerd-1.7", mutate: "mutate-v1beta1",
		options: []cluster.Option{cluster.WithRelease("1.35"), cluster.WithFeatures("MutatingAdmissionPolicy=true")},
	},
}

// TestRuntimeClass: pods that name the RuntimeClass are held to the policy, others
// are as the stock handler leaves them.
func TestRuntimeClass(t *testing.T) {
	for _, r := range releases {
		t.Run(r.kubernetes+" on "+r.containerd, func(t *testing.T) {
			c := cluster.Start(t, r.containerd, byClass(), r.options...)
			wantRelease(t, c, r.kubernetes)
			wantHandlers(t, c)
			addClass(t, c, "batten")
			checkMatrix(t, c, "", "batten")
			t.Run("whole pod", func(t *testing.T) { checkWholePod(t, c.In(t), "", "batten") })
			t.Run("no such handler", func(t *testing.T) {
				c := c.In(t)
				addClass(t, c, "nowhere")
				c.AwaitEvent(c.Create(of("nowhere", cluster.Pod("nowhere"))), `no runtime for "nowhere" is configured`)
			})
			t.Run("set by admission", func(t *testing.T) { checkSet(t, c.In(t), r.mutate) })
		})
	}
}

// wantRelease holds that the node and the API server are of a release.
func wantRelease(t *testing.T, c *cluster.Cluster, want string) {
	t.Helper()
	n, err := c.Client.CoreV1().Nodes().Get(c.Ctx(), cluster.NodeName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server, err := c.Client.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("kubelet %s, API server %s, %s", n.Status.NodeInfo.KubeletVersion, server, n.Status.NodeInfo.ContainerRuntimeVersion)
	for _, version := range []string{n.Status.NodeInfo.KubeletVersion, server.String()} {
		if !strings.HasPrefix(version, "v"+want+".") {
			t.Errorf("version %s, want %s", version, want)
		}
	}
}

// wantHandlers holds that the kubelet says of Batten's handler what it says of the one that it
// wraps: user namespaces, recursive read-only mounts.
func wantHandlers(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	n, err := c.Client.CoreV1().Nodes().Get(c.Ctx(), cluster.NodeName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	features := make(map[string]*corev1.NodeRuntimeHandlerFeatures)
	for _, h := range n.Status.RuntimeHandlers {
		features[h.Name] = h.Features
		t.Logf("handler %q: %s", h.Name, h.Features)
	}
	if batten, stock := features["batten"], features["runc"]; !reflect.DeepEqual(batten, stock) {
		t.Errorf("Batten's handler has %s, the stock one %s", batten, stock)
	}
	if c.Engine.Name == newest && (features["batten"] == nil || features["batten"].UserNamespaces == nil || !*features["batten"].UserNamespaces) {
		t.Errorf("the kubelet reports no user namespaces of Batten's handler: %+v", n.Status.RuntimeHandlers)
	}
}
