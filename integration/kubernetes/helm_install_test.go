package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/internal/daemonset"
)

// helm runs helm and returns what it says.
func helm(t *testing.T, c *cluster.Cluster, args ...string) string {
	t.Helper()
	out, err := c.Helm(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("helm %q: %v: %s\n%s", args, err, out, agentLog(c))
	}
	return string(out)
}

// checkChart installs the chart, has helm test the node, changes the policy and takes all of it
// off again.
func checkChart(t *testing.T, c *cluster.Cluster, before []byte) {
	out := helm(t, c, "install", "batten", chart(), "-n", system, "--create-namespace")
	for _, want := range []string{"kubectl get nodes -L batten-runtime.github.io/ready,batten-runtime.github.io/older-pods", "helm test batten -n batten-system --logs", "runtimeClassName: batten"} {
		if !strings.Contains(out, want) {
			t.Errorf("the notes say\n%s\nwant %s", out, want)
		}
	}
	c.Revive()
	c.Eventually(time.Minute, "the node", func() error {
		if ready := nodeOf(t, c).Labels[daemonset.Ready]; ready != "true" {
			return fmt.Errorf("it is labelled ready=%s\n%s", ready, agentLog(c))
		}
		return nil
	})
	pod := c.Run(of("batten", cluster.Pod("by-chart", probe...)))
	wantSaid(t, c, pod, byDefaultFilter)

	out = helm(t, c, "test", "batten", "-n", system, "--logs")
	for _, want := range []string{"\npolicy: /etc/batten/policy.yaml (sha256 ", "\nnew pods of handler batten go through Batten\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("helm test says\n%s\nwant %s", out, want)
		}
	}
	if proved := regexp.MustCompile(`(?m)^yes .* main +default/by-chart .* proved, 1 filter as strict as its record and today's policy$`); !proved.MatchString(out) {
		t.Errorf("helm test does not prove the pod of the class:\n%s", out)
	}
	// The test can fail: without the shim no pod of the handler starts.
	shim := c.Path("/opt/batten/bin/containerd-shim-batten-v2")
	move(t, shim, shim+".away")
	failed, err := c.Helm("test", "batten", "-n", system, "--logs").CombinedOutput()
	if err == nil || !strings.Contains(string(failed), `does handler "batten" go through Batten? no: `) {
		t.Errorf("without the shim helm test says (%v)\n%s", err, failed)
	}
	move(t, shim+".away", shim)

	values := filepath.Join(c.Dir, "values.yaml")
	write(t, values, "policy: |\n  version: 1\n  absent: no-keys\n  profiles:\n    no-keys: {file: no-keys.json}\nprofiles:\n  no-keys.json: '"+ruleProfile+"'\n")
	helm(t, c, "upgrade", "batten", chart(), "-n", system, "-f", values)
	c.Eventually(2*time.Minute, "the policy", func() error {
		data, err := os.ReadFile(filepath.Join(c.Etc, "policy.yaml"))
		if err == nil && !strings.Contains(string(data), "no-keys") {
			err = fmt.Errorf("it is\n%s", data)
		}
		return err
	})
	next := c.Run(of("batten", cluster.Pod("by-upgrade", probe...)))
	wantSaid(t, c, next, byRule)
	c.Delete(pod)
	c.Delete(next)

	done := make(chan string, 1)
	go func() {
		out, err := c.Helm("uninstall", "batten", "-n", system).CombinedOutput()
		done <- fmt.Sprint(string(out), err)
	}()
	c.Revive()
	if out := <-done; out != "release \"batten\" uninstalled\n<nil>" {
		t.Errorf("helm uninstall says %s", out)
	}
	asBefore(t, c, before)
	noFiles(t, c)
	if left := kubectl(t, c, "get", "all,configmaps,serviceaccounts,roles,rolebindings", "-n", system, "-o", "name"); left != "configmap/kube-root-ca.crt\nserviceaccount/default\n" && left != "pod/batten-status\nconfigmap/kube-root-ca.crt\nserviceaccount/default\n" {
		t.Errorf("left in the namespace:\n%s", left)
	}
	if left := kubectl(t, c, "get", "clusterroles,clusterrolebindings,runtimeclasses,validatingadmissionpolicies,validatingadmissionpolicybindings", "-o", "name"); strings.Contains(left, "batten") {
		t.Errorf("left in the cluster:\n%s", left)
	}
	kubectl(t, c, "delete", "namespace", system)
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
