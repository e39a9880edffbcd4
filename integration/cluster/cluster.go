package cluster

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// NodeName is the name of the one node.
const NodeName = "node"

// Cluster is a node with Kubernetes on it.
type Cluster struct {
	*node.Node
	Client kubernetes.Interface

	t        node.T
	release  string
	features []string
	kubelet  Kubelet
	parts    map[string]*part
	order    []string // parts as they were started
}

// Option changes a cluster before it starts.
type Option func(*Cluster)

// newest is the release of Kubernetes that is started where no other is asked for.
const newest = "1.37"

// WithRelease starts another release of Kubernetes: 1.35.
func WithRelease(release string) Option { return func(c *Cluster) { c.release = release } }

// WithFeatures sets feature gates of the API server, as Name=true.
func WithFeatures(gates ...string) Option { return func(c *Cluster) { c.features = gates } }

// Start starts a cluster over the named engine's containerd with the handlers, and
// ends it with the test. Where Kubernetes is not built, the test is skipped or
// failed as node.Start does.
func Start(t node.T, engine string, handlers []node.Handler, options ...Option) *Cluster {
	t.Helper()
	c := &Cluster{t: t, release: newest, parts: make(map[string]*part)}
	for _, option := range options {
		option(c)
	}
	c.need()
	c.Node = node.Start(t, engine, node.WithCluster(), node.WithHandlers(handlers...), node.WithQuietLog())
	t.Cleanup(c.end)
	if err := c.makeCgroups(); err != nil {
		t.Fatal(err)
	}
	c.startControlPlane()
	c.connect()
	c.StartKubelet()
	c.Ready()
	return c
}

func (c *Cluster) need() {
	c.t.Helper()
	for _, path := range []string{c.tool("kubelet"), anyTool("kubectl"), helm(), filepath.Join(node.Cache(), "cni/.done")} {
		if _, err := os.Stat(path); err == nil {
			continue
		}
		why := "Kubernetes is not built: run integration/engines/build.sh kubernetes"
		if os.Getenv("REQUIRE_INTEGRATION") == "1" {
			c.t.Fatal(why)
		}
		c.t.Skip(why)
	}
}

// tool is a binary of the release.
func (c *Cluster) tool(name string) string {
	return filepath.Join(node.Cache(), "kubernetes-"+c.release, name)
}

// anyTool is a binary that serves all releases: etcd's server, kubectl.
func anyTool(name string) string { return filepath.Join(node.Cache(), "kubernetes-"+newest, name) }

// connect makes the client.
func (c *Cluster) connect() {
	c.t.Helper()
	c.Client = c.As(tokens["admin"])
	c.Eventually(time.Minute, "the API server", func() error {
		_, err := c.Client.CoreV1().Namespaces().Get(c.Ctx(), "default", metav1.GetOptions{})
		return err
	})
}

// RESTConfig says how a client that is known by a token reaches into the node's network.
func (c *Cluster) RESTConfig(token string) *rest.Config {
	return &rest.Config{
		Host: "https://" + node.APIServer, BearerToken: token, QPS: 500, Burst: 500,
		TLSClientConfig: rest.TLSClientConfig{Insecure: true},
		Dial:            func(_ context.Context, network, address string) (net.Conn, error) { return c.Dial(network, address) },
	}
}

// As is a client that is known by a token.
func (c *Cluster) As(token string) kubernetes.Interface {
	c.t.Helper()
	client, err := kubernetes.NewForConfig(c.RESTConfig(token))
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// Ready waits for the node and for what pods in the namespace default need.
func (c *Cluster) Ready() {
	c.t.Helper()
	c.Eventually(time.Minute, "the node to be ready", func() error {
		n, err := c.Client.CoreV1().Nodes().Get(c.Ctx(), NodeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range n.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("%+v", n.Status.Conditions)
	})
	c.AwaitServiceAccount("default")
}

// AwaitServiceAccount waits until pods can be made in a namespace.
func (c *Cluster) AwaitServiceAccount(namespace string) {
	c.t.Helper()
	c.Eventually(time.Minute, "the service account of "+namespace, func() error {
		_, err := c.Client.CoreV1().ServiceAccounts(namespace).Get(c.Ctx(), "default", metav1.GetOptions{})
		return err
	})
}

// In makes a part of the test the one that fails, until it ends.
func (c *Cluster) In(t node.T) *Cluster {
	whole := c.t
	c.t = t
	c.Node.In(t)
	t.Cleanup(func() { c.t = whole })
	return c
}

// Ctx bounds one call.
func (c *Cluster) Ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// Kubectl is a call of kubectl as the cluster's administrator, which ends after two
// minutes.
func (c *Cluster) Kubectl(args ...string) *exec.Cmd {
	cmd := c.Command(append([]string{"timeout", "120", anyTool("kubectl"), "--kubeconfig", c.kubeconfig("admin")}, args...)...)
	cmd.Env = append(cmd.Env, "KUBECACHEDIR="+filepath.Join(c.Dir, "kube-cache"))
	return cmd
}
