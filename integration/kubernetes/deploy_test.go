package kubernetes

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/daemonset"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const system = "batten-system"

// TestDeploy applies deploy/kubernetes as it is, with the image that make image
// makes, to a node that knows nothing of Batten, and takes it off again.
func TestDeploy(t *testing.T) {
	c, before := unaware(t, newest)
	t.Run("as RuntimeClass", func(t *testing.T) { checkDaemonSetLife(t, c.In(t), before) })
	t.Run("as default, on a new node", func(t *testing.T) { checkNewNode(t, c.In(t), before) })
	t.Run("as chart", func(t *testing.T) { checkChart(t, c.In(t), before) })
	t.Run("as the guide says", func(t *testing.T) { checkGuide(t, c.In(t), before) })
	t.Run("required by admission", func(t *testing.T) { checkRequired(t, c.In(t)) })
}

// TestDeployOlder does the same on an older Kubernetes, whose containerd is of 1.7.
func TestDeployOlder(t *testing.T) {
	c, before := unaware(t, "containerd-1.7", cluster.WithRelease("1.35"))
	t.Run("as RuntimeClass", func(t *testing.T) { checkDaemonSetLife(t, c.In(t), before) })
	t.Run("as chart", func(t *testing.T) { checkChart(t, c.In(t), before) })
}

// unaware starts a node that knows nothing of Batten but the image. It returns containerd's
// configuration there.
func unaware(t *testing.T, engine string, options ...cluster.Option) (c *cluster.Cluster, config []byte) {
	t.Helper()
	c = cluster.Start(t, engine, []node.Handler{{Name: "runc", Type: node.Stock}}, options...)
	archive := filepath.Join(node.Root(), "bin/batten-image.tar")
	run(t, c, "importing the image", "ctr", "-n", cluster.CRI, "images", "import", archive)
	// Where nodes have them.
	run(t, c, "links", "sh", "-c", "mkdir -p /etc/containerd && ln -s "+c.Node.Config()+" /etc/containerd/config.toml && ln -s "+c.Socket+" /run/containerd/containerd.sock")
	config, err := os.ReadFile(c.Node.Config())
	if err != nil {
		t.Fatal(err)
	}
	return c, config
}

// run runs a command on the node.
func run(t *testing.T, c *cluster.Cluster, what string, args ...string) string {
	t.Helper()
	out, err := c.Command(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", what, err, out)
	}
	return string(out)
}

// kubectl runs kubectl and returns what it says.
func kubectl(t *testing.T, c *cluster.Cluster, args ...string) string {
	t.Helper()
	out, err := c.Kubectl(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %q: %v: %s", args, err, out)
	}
	return string(out)
}

func overlay(name string) string {
	return filepath.Join(node.Root(), "deploy/kubernetes/overlays", name)
}

func nodeOf(t *testing.T, c *cluster.Cluster) *corev1.Node {
	t.Helper()
	n, err := c.Client.CoreV1().Nodes().Get(c.Ctx(), cluster.NodeName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// labelOf is the value of the label by which the RuntimeClass schedules.
func labelOf(t *testing.T, c *cluster.Cluster) string { return nodeOf(t, c).Labels[daemonset.Label] }

// deployed applies an overlay and waits until the node is ready for its pods.
func deployed(t *testing.T, c *cluster.Cluster, name string) {
	t.Helper()
	kubectl(t, c, "apply", "-k", overlay(name))
	c.Revive() // as systemd would when the DaemonSet has containerd end
	c.Eventually(time.Minute, "the node's label", func() error {
		if l := labelOf(t, c); l != "batten" {
			return fmt.Errorf("it is %q\n%s", l, agentLog(c))
		}
		return nil
	})
	wantNodeEvent(t, c, "BattenReady", "pods of handler batten are held to the policy")
}

// undeployed deletes the DaemonSet, and then the rest, and checks that label and
// handler are gone.
func undeployed(t *testing.T, c *cluster.Cluster, name string, before []byte) {
	t.Helper()
	kubectl(t, c, "delete", "-n", system, "daemonset", "batten", "--wait=false", "--cascade=foreground")
	c.Revive()
	kubectl(t, c, "wait", "-n", system, "--for=delete", "daemonset/batten", "--timeout=60s")
	kubectl(t, c, "delete", "-k", overlay(name), "--ignore-not-found")
	asBefore(t, c, before)
}

// asBefore checks that the node has no label of Batten and its containerd's configuration back.
func asBefore(t *testing.T, c *cluster.Cluster, before []byte) {
	t.Helper()
	for k, v := range nodeOf(t, c).Labels {
		if strings.HasPrefix(k, "batten-runtime.github.io/") {
			t.Errorf("the node has the label %s=%s", k, v)
		}
	}
	wantNodeEvent(t, c, "BattenRemoved", "the DaemonSet is deleted: new pods bypass Batten")
	if now, err := os.ReadFile(c.Node.Config()); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the configuration of containerd is not as it was (%v):\n%s", err, now)
	}
}

// noFiles checks that nothing that the DaemonSet put on the node is left.
func noFiles(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	for _, pattern := range []string{"/opt/batten", "/etc/batten/*"} {
		if left, _ := filepath.Glob(c.Path(pattern)); len(left) > 0 {
			t.Errorf("left on the node: %q", left)
		}
	}
}

func agentPod(t *testing.T, c *cluster.Cluster) *corev1.Pod {
	t.Helper()
	pods := ofLabel(t, c, "app.kubernetes.io/name=batten", 1)
	return &pods[0]
}

func agentLog(c *cluster.Cluster) string {
	out, _ := c.Kubectl("logs", "-n", system, "daemonset/batten").CombinedOutput()
	return string(out)
}

// checkDaemonSetLife: pods of the class wait for the node; policies come by the
// ConfigMap, and bad ones stay there; the end of the pod changes nothing, the end of
// the DaemonSet takes all of it back.
func checkDaemonSetLife(t *testing.T, c *cluster.Cluster, before []byte) {
	kubectl(t, c, "apply", "-f", filepath.Join(node.Root(), "deploy/kubernetes/base/runtimeclass.yaml"))
	early := c.Create(of("batten", cluster.Pod("early", probe...)))
	c.AwaitEvent(early, "FailedScheduling", "node affinity/selector")
	deployed(t, c, "runtimeclass")
	wantSaid(t, c, c.Running(early), byDefaultFilter)
	checkOwnNode(t, c)
	wantSaid(t, c, c.Run(cluster.Pod("stock", probe...)), free)
	if mode := c.Seccomp(agentPod(t, c), "batten"); mode != "0" {
		t.Errorf("the DaemonSet's own pod, of the stock handler: Seccomp: %s", mode)
	}

	// A policy that does not pass stays in the ConfigMap.
	policy(t, c, "version: 1\nabsent: RuntimeDfault\n", "")
	c.Eventually(2*time.Minute, "the refusal", func() error {
		if log := agentLog(c); !strings.Contains(log, "the policy is refused, the last good one holds: ") || !strings.Contains(log, `/etc/batten/policy.yaml`) {
			return fmt.Errorf("the log says\n%s", log)
		}
		return nil
	})
	c.AwaitEvent(agentPod(t, c), "Unhealthy", "RuntimeDfault")
	wantNodeEvent(t, c, "BattenPolicyRefused", "RuntimeDfault")
	wantNodeEvent(t, c, "BattenLastGoodPolicyKept", "the last good one of the ConfigMap, holds")
	wantSaid(t, c, c.Run(of("batten", cluster.Pod("last-good", probe...))), byDefaultFilter)

	// Neither does a file of the node's, by whatever name.
	own := filepath.Join(c.Etc, "runc.toml")
	write(t, own, "# the node's own\n")
	settings := filepath.Join(c.Dir, "configmap", "runc.toml")
	write(t, settings, "runtime = \"/tmp/evil\"\n")
	policy(t, c, "version: 1\nabsent: Unconfined\n", "")
	c.AwaitEvent(agentPod(t, c), "Unhealthy", `key "runc.toml" is neither policy.yaml nor a profile`)
	wantSaid(t, c, c.Run(of("batten", cluster.Pod("still-good", probe...))), byDefaultFilter)
	if err := os.Remove(settings); err != nil {
		t.Fatal(err)
	}

	// A good one comes to the node with its profiles.
	policy(t, c, "version: 1\nabsent: no-keys\nprofiles:\n  no-keys: {file: no-keys.json}\n", ruleProfile)
	c.Eventually(2*time.Minute, "the policy", func() error {
		data, err := os.ReadFile(filepath.Join(c.Etc, "policy.yaml"))
		if err == nil && !strings.Contains(string(data), "no-keys") {
			err = fmt.Errorf("it is\n%s", data)
		}
		return err
	})
	wantNodeEvent(t, c, "BattenPolicyInPlace", "holds from the next container on")
	wantSaid(t, c, c.Run(of("batten", cluster.Pod("next", probe...))), byRule)

	// The end of a pod is not the end of the DaemonSet.
	old := agentPod(t, c)
	kubectl(t, c, "delete", "pod", "-n", system, old.Name)
	kubectl(t, c, "rollout", "status", "-n", system, "daemonset/batten", "--timeout=60s")
	if l := labelOf(t, c); l != "batten" {
		t.Errorf("after its pod the label is %q", l)
	}
	wantSaid(t, c, c.Run(of("batten", cluster.Pod("after", probe...))), byRule)

	// One that was killed after it changed the configuration, before containerd read it.
	write(t, c.Path("/opt/batten/restart-due"), "")
	kubectl(t, c, "delete", "pod", "-n", system, agentPod(t, c).Name, "--wait=false")
	c.Revive()
	kubectl(t, c, "rollout", "status", "-n", system, "daemonset/batten", "--timeout=60s")
	c.Eventually(time.Minute, "the restart to be done with", func() error {
		if _, err := os.Stat(c.Path("/opt/batten/restart-due")); err == nil {
			return fmt.Errorf("%s", agentLog(c))
		}
		return nil
	})
	for _, name := range []string{"early", "stock", "last-good", "still-good", "next", "after"} {
		c.Delete(c.Running(cluster.Pod(name)))
	}
	undeployed(t, c, "runtimeclass", before)
	if data, err := os.ReadFile(own); string(data) != "# the node's own\n" {
		t.Errorf("the node's own runc.toml is %q (%v)", data, err)
	}
	if err := os.Remove(own); err != nil {
		t.Fatal(err)
	}
	noFiles(t, c)
}

// policy changes the ConfigMap.
func policy(t *testing.T, c *cluster.Cluster, text, profile string) {
	t.Helper()
	dir := filepath.Join(c.Dir, "configmap")
	write(t, filepath.Join(dir, "policy.yaml"), text)
	if profile != "" {
		write(t, filepath.Join(dir, "no-keys.json"), profile)
	}
	out := kubectl(t, c, "create", "configmap", "-n", system, "batten-policy", "--from-file="+dir, "--dry-run=client", "-o", "yaml")
	file := filepath.Join(c.Dir, "configmap.yaml")
	write(t, file, out)
	kubectl(t, c, "apply", "-f", file)
}
