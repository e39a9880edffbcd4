package cluster

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// end deletes what runs in the cluster and waits until the kubelet has seen to it,
// then stops the cluster. What is left on the node then is containerd's and the
// shims', which package node looks at.
func (c *Cluster) end() {
	if c.t.Failed() {
		for _, name := range c.order {
			c.t.Logf("the log of %s ends:\n%s", name, c.PartLog(name))
		}
	}
	if c.parts["kubelet"] != nil {
		c.deleteAll()
	}
	for _, name := range slices.Backward(c.order) {
		c.Stop(name, syscall.SIGTERM)
	}
	c.unmount()
	c.removePodCgroups()
}

// deleteAll deletes controllers first, so that pods stay deleted.
func (c *Cluster) deleteAll() {
	manifests, _ := os.ReadDir(c.path("manifests"))
	for _, m := range manifests {
		_ = os.Remove(c.path("manifests/" + m.Name()))
	}
	out, err := c.Kubectl("delete", "daemonsets,deployments,replicasets,jobs,pods", "--all", "--all-namespaces", "--grace-period=1", "--wait=false").CombinedOutput()
	if err != nil {
		c.t.Errorf("deleting all: %v: %s", err, out)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		pods, err := c.Client.CoreV1().Pods("").List(c.Ctx(), metav1.ListOptions{})
		if err == nil && len(pods.Items) == 0 {
			return
		}
		if time.Now().After(deadline) {
			var names []string
			if err == nil {
				for _, p := range pods.Items {
					names = append(names, fmt.Sprintf("%s/%s: %s", p.Namespace, p.Name, p.Status.Phase))
				}
			}
			c.t.Errorf("pods that cannot be deleted: %s (%v)", strings.Join(names, ", "), err)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
