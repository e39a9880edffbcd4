package kubernetes

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/recording"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// replicas is how many pods the learned workload has.
const replicas = 3

// checkLearned: three replicas are recorded from their first instruction, probes included; under
// the profile of that nothing of them is denied; and the one call more that the next version makes
// is shown by denials and by diff.
func checkLearned(t *testing.T, c *cluster.Cluster) {
	log := filepath.Join(c.Etc, "learned.jsonl")
	profile := filepath.Join(c.Etc, "profiles", "learned.json")
	write(t, profile, "")
	setPolicy(t, c, "version: 1\nmode: Audit\n")
	first := learn(t, c, "getpid", profile)
	if n := len(first.Containers); n != replicas {
		t.Errorf("%d containers are recorded", n)
	}
	for _, r := range first.Containers {
		if !r.Start || r.Namespace != "k8s.io" || !strings.HasPrefix(r.Pod, "default/learned-") || r.Name != "main" {
			t.Errorf("recorded: %s %s %s, from its start %v", r.Namespace, r.Pod, r.Name, r.Start)
		}
	}

	setPolicy(t, c, "version: 1\nlog: "+log+"\nprofiles:\n  learned: {file: profiles/learned.json}\nrules:\n- name: learned\n"+
		"  match: {kind: [Container], pod: {namespace: [default], name: [learned-*]}}\n  absent: learned\n  denials: Count\n")
	deploy(t, c, "getpid")
	time.Sleep(3 * time.Second) // some probes
	undeploy(t, c)
	if got := deniedOf(t, log); len(got) > 0 {
		t.Errorf("denied: %v", got)
	}

	deploy(t, c, "keyctl")
	c.Eventually(20*time.Second, "the call that is new", func() error {
		if got := deniedOf(t, log); !slices.Equal(got, []string{"keyctl by probe"}) {
			return fmt.Errorf("denied: %v", got)
		}
		return nil
	})
	out, err := c.Command("batten", "denials", "--rule", "learned").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "keyctl(") {
		t.Errorf("%v: %s", err, out)
	}
	undeploy(t, c)

	setPolicy(t, c, "version: 1\nmode: Audit\n")
	learn(t, c, "keyctl", filepath.Join(c.Etc, "next.json"))
	out, err = c.Command("batten", "diff", filepath.Join(c.Etc, "profiles/learned.recording.json"), filepath.Join(c.Etc, "next.recording.json")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "keyctl") || !strings.Contains(string(out), "probe") {
		t.Errorf("diff: %v: %s", err, out)
	}
}

// learn records a version of the workload that is started meanwhile, and makes a profile of it.
func learn(t *testing.T, c *cluster.Cluster, call, profile string) *recording.Recording {
	t.Helper()
	cmd := c.Command("batten", "record", "--pod", "default/learned-*", "--to", profile, "--floor", "None")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() || lines.Text() != "recording" {
		t.Fatalf("it said %q (%v)", lines.Text(), lines.Err())
	}
	deploy(t, c, call)
	undeploy(t, c)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&said, lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	path := strings.TrimSuffix(profile, ".json") + ".recording.json"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := recording.Read(path, data)
	if err != nil || r.Lost.Any() {
		t.Fatalf("%v, lost %+v", err, r)
	}
	return r
}

// deploy brings up the workload, whose containers and probes make a call, and waits until it is ready.
func deploy(t *testing.T, c *cluster.Cluster, call string) {
	t.Helper()
	labels := map[string]string{"app": "learned"}
	pod := cluster.Pod("learned", "/probe", "call", call, "--", "pause")
	pod.Spec.RestartPolicy = corev1.RestartPolicyAlways
	pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/bin/sh", "-c", "/probe call getpid"}}},
		PeriodSeconds: 1, TimeoutSeconds: 10,
	}
	_, err := c.Client.AppsV1().Deployments("default").Create(c.Ctx(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "learned", Namespace: "default"},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(replicas)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod.Spec},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.Eventually(time.Minute, "the deployment", func() error {
		d, err := c.Client.AppsV1().Deployments("default").Get(c.Ctx(), "learned", metav1.GetOptions{})
		if err == nil && d.Status.ReadyReplicas != replicas {
			err = fmt.Errorf("%d pods are ready", d.Status.ReadyReplicas)
		}
		return err
	})
}

// undeploy removes the workload, and waits until its pods are gone.
func undeploy(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	if err := c.Client.AppsV1().Deployments("default").Delete(c.Ctx(), "learned", metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationForeground)}); err != nil {
		t.Fatal(err)
	}
	c.Eventually(time.Minute, "the end of the pods", func() error {
		list, err := c.Client.CoreV1().Pods("default").List(c.Ctx(), metav1.ListOptions{LabelSelector: "app=learned"})
		if err == nil && len(list.Items) > 0 {
			err = fmt.Errorf("%d are left", len(list.Items))
		}
		if err != nil {
			return err
		}
		_, err = c.Client.AppsV1().Deployments("default").Get(c.Ctx(), "learned", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("the deployment is left (%v)", err)
	})
}

// deniedOf returns what the log says was denied, each once, without clone3, for which the C library
// takes clone, and without what runc tries for an exec and does without (open_tree).
func deniedOf(t *testing.T, log string) (out []string) {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for text := range bytes.Lines(data) {
		var line denials.Line
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		own := line.Result == "ENOSYS" && (line.Syscall == "clone3" || strings.HasPrefix(line.Process, "runc:"))
		if line.Syscall != "" && !own {
			out = append(out, line.Syscall+" by "+line.Process)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
