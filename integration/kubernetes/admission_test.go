package kubernetes

import (
	"fmt"
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

// checkRequired: admission says what to write, and lets through what is written so.
func checkRequired(t *testing.T, c *cluster.Cluster) {
	kubectl(t, c, "apply", "-k", overlay("require"))
	addClass(t, c, "batten")
	addNamespace(t, c, "tenant", map[string]string{"batten-runtime.github.io/require": "true"})
	try := func(pod *corev1.Pod) error {
		pod.Namespace = "tenant"
		_, err := c.Client.CoreV1().Pods("tenant").Create(c.Ctx(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	c.Eventually(time.Minute, "admission", func() error {
		if try(cluster.Pod("plain")) == nil {
			return fmt.Errorf("a pod without the class is let through")
		}
		return nil
	})
	for name, row := range map[string]struct {
		pod  func(*corev1.Pod)
		says string
	}{
		"class":                  {pod: func(p *corev1.Pod) { p.Spec.RuntimeClassName = nil }, says: "pods of this namespace run under Batten: write runtimeClassName: batten into the pod's spec"},
		"pod-unconfined":         {pod: asks(unconfined, unset), says: "securityContext.seccompProfile.type Unconfined asks for no seccomp filter: leave the field out, or ask for RuntimeDefault"},
		"container-unconfined":   {pod: asks(runtimeDefault, unconfined), says: "container main asks for no seccomp filter (securityContext.seccompProfile.type Unconfined): leave the field out"},
		"fine":                   {pod: asks(runtimeDefault, unset)},
		"fine-without-a-profile": {pod: asks(unset, unset)},
	} {
		pod := of("batten", cluster.Pod(name))
		row.pod(pod)
		switch err := try(pod); {
		case row.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)):
			t.Errorf("%s: %v\nwant: %s", name, err, row.says)
		}
	}
	pod := cluster.Pod("elsewhere")
	asks(unconfined, unset)(pod)
	if _, err := c.Client.CoreV1().Pods("default").Create(c.Ctx(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		t.Errorf("in another namespace: %v", err)
	}
	kubectl(t, c, "delete", "-k", overlay("require"))
}

// checkSet: pods of a labelled namespace get the class, and with it its node
// selector; those that name one keep theirs. The overlay's name is given.
func checkSet(t *testing.T, c *cluster.Cluster, name string) {
	kubectl(t, c, "delete", "runtimeclass", "batten")
	kubectl(t, c, "apply", "-f", filepath.Join(node.Root(), "deploy/kubernetes/base/runtimeclass.yaml"))
	kubectl(t, c, "apply", "-k", overlay(name))
	addClass(t, c, "other")
	addNamespace(t, c, "set", map[string]string{"batten-runtime.github.io/set": "true"})
	try := func(class, namespace string) *corev1.Pod {
		pod := of(class, cluster.Pod("pod"))
		pod.Namespace = namespace
		pod, err := c.Client.CoreV1().Pods(namespace).Create(c.Ctx(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			t.Fatal(err)
		}
		return pod
	}
	c.Eventually(time.Minute, "admission", func() error {
		pod := try("", "set")
		if pod.Spec.RuntimeClassName == nil || *pod.Spec.RuntimeClassName != "batten" || pod.Spec.NodeSelector[daemonset.Label] != "batten" {
			return fmt.Errorf("%+v", pod.Spec)
		}
		return nil
	})
	if pod := try("other", "set"); *pod.Spec.RuntimeClassName != "other" {
		t.Errorf("a pod that names a class got %q", *pod.Spec.RuntimeClassName)
	}
	if pod := try("", "default"); pod.Spec.RuntimeClassName != nil {
		t.Errorf("in another namespace a pod got %q", *pod.Spec.RuntimeClassName)
	}
	kubectl(t, c, "delete", "-k", overlay(name))
}
