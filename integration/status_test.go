package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// nodeStatus runs batten status, and says whether all containers are safe. Handlers
// and problems are as it says.
func nodeStatus(t *testing.T, n *node.Node, args ...string) (containers map[string]status.Container, handlers []install.Handler, safe bool) {
	t.Helper()
	s, exit := wholeStatus(t, n, args...)
	if s.HandlersError != "" {
		t.Errorf("handlers: %s", s.HandlersError)
	}
	containers, safe = make(map[string]status.Container), true
	for _, c := range s.Containers {
		key := c.ID
		if _, ok := containers[key]; ok {
			key = c.ContainerdNamespace + "/" + c.ID
		}
		containers[key] = c
		safe = safe && c.Safe
	}
	if want := safe && len(s.Problems) == 0; s.Safe != want || (exit == 0) != want {
		t.Errorf("safe %v, exit %d with problems %q and containers %v", s.Safe, exit, s.Problems, containers)
	}
	return containers, s.Handlers, safe
}

type statusOutput struct {
	Safe          bool
	Problems      []string
	Handlers      []install.Handler
	HandlersError string
	Builders      []status.Builder
	Containers    []status.Container
}

func wholeStatus(t *testing.T, n *node.Node, args ...string) (s statusOutput, exit int) {
	t.Helper()
	cmd := n.Command(append([]string{"batten", "status", "--json"}, args...)...)
	out, err := cmd.Output()
	if exit = cmd.ProcessState.ExitCode(); err != nil && exit != 1 {
		t.Fatalf("batten status: %v: %s", err, err.(*exec.ExitError).Stderr)
	}
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s, exit
}

// wantVerify checks that batten verify says of one container what batten status says.
func wantVerify(t *testing.T, n *node.Node, id string, safe bool, verdict string) {
	t.Helper()
	out, err := n.Command("batten", "verify", id).CombinedOutput()
	if (err == nil) != safe || !strings.Contains(string(out), ": "+verdict+"\n") {
		t.Errorf("batten verify %s: %v: %s\nwant %v, %s", id, err, out, safe, verdict)
	}
}

// wantContainer checks what batten status says of one container.
func wantContainer(t *testing.T, all map[string]status.Container, id string, safe bool, mode int, verdict string) {
	t.Helper()
	c, ok := all[id]
	if !ok {
		t.Errorf("%s is not found among %v", id, all)
		return
	}
	if c.Safe != safe || c.Seccomp != mode || c.Text != verdict {
		t.Errorf("%s: safe %v, Seccomp: %d, %s\nwant %v, %d, %s", id, c.Safe, c.Seccomp, c.Text, safe, mode, verdict)
	}
}

const (
	proved      = "proved, 1 filter as strict as its record and today's policy"
	asksNothing = "it asks for no seccomp filter, and the policy's top level says absent: "
)

// TestStatus: a container that bypasses Batten makes the node unsafe, by
// whichever way it came, unless the policy would have left it as it is.
func TestStatus(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		forced := proved
		ours, err := n.Start(node.Run{Runtime: node.Batten, Spec: []oci.SpecOpts{oci.WithPrivileged}})
		if err != nil {
			t.Fatal(err)
		}
		all, _, safe := nodeStatus(t, n)
		wantContainer(t, all, ours.ID, true, 2, forced)
		if !safe || len(all) != 1 {
			t.Errorf("safe %v with %v", safe, all)
		}
		stock, err := n.Start(node.Run{Runtime: node.Stock})
		if err != nil {
			t.Fatal(err)
		}
		own, err := n.Start(node.Run{Runtime: node.Stock, Spec: []oci.SpecOpts{node.WithSeccomp(denyKeys())}})
		if err != nil {
			t.Fatal(err)
		}
		bypasses := "bypasses Batten; runs with no filter, and today's policy would not have it: " + asksNothing + "RuntimeDefault"
		all, _, safe = nodeStatus(t, n)
		wantContainer(t, all, ours.ID, true, 2, forced)
		wantVerify(t, n, ours.ID, true, forced)
		wantVerify(t, n, stock.ID, false, bypasses)
		if out, err := n.Command("batten", "verify").CombinedOutput(); err == nil || !strings.Contains(string(out), bypasses) {
			t.Errorf("batten verify: %v: %s", err, out)
		}
		wantContainer(t, all, stock.ID, false, 0, bypasses)
		wantContainer(t, all, own.ID, true, 2, "bypasses Batten; proved, 1 filter as strict as today's policy")
		if safe {
			t.Error("the node is called safe")
		}
		setPolicy(t, n, "version: 1\nabsent: Unconfined\npresent: Deny\n")
		all, _, _ = nodeStatus(t, n)
		wantContainer(t, all, stock.ID, true, 0, "bypasses Batten; runs with no filter, as today's policy has it: "+asksNothing+"Unconfined")
		wantContainer(t, all, own.ID, false, 2, "bypasses Batten; today's policy would refuse it: it brings a seccomp filter, and the policy's top level says present: Deny")
		setPolicy(t, n, "version: 1\nabsent: Unconfned\n")
		out, err := n.Command("batten", "status").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "policy: no container can start through Batten:") || !strings.Contains(string(out), "NO  ") {
			t.Errorf("with a broken policy: %v: %s", err, out)
		}
	})
}

// TestStatusRecords: a record is of one container, and of none that has its id or its
// cgroup.
func TestStatusRecords(t *testing.T) {
	n := node.Start(t, newest)
	ours, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	n.WaitForExec(ours)
	bypasses := "bypasses Batten; runs with no filter, and today's policy would not have it: " + asksNothing + "RuntimeDefault"
	t.Run("the same id in another containerd namespace", func(t *testing.T) {
		same, err := n.Start(node.Run{Runtime: node.Stock, Namespace: "k8s.io", ID: ours.ID, Spec: []oci.SpecOpts{oci.WithCgroup("/" + filepath.Base(n.Dir) + "/other-" + ours.ID)}})
		if err != nil {
			t.Fatal(err)
		}
		defer same.Remove()
		all, _, _ := nodeStatus(t, n)
		if len(all) != 2 {
			t.Fatalf("%v", all)
		}
		for _, c := range all {
			if c.ContainerdNamespace == "k8s.io" && (c.Safe || c.Text != bypasses) || c.ContainerdNamespace == node.Namespace && c.Text != proved {
				t.Errorf("%s/%s: safe %v, %s", c.ContainerdNamespace, c.ID, c.Safe, c.Text)
			}
		}
	})
	t.Run("one that moves into its cgroup", func(t *testing.T) {
		stock, err := n.Start(node.Run{Runtime: node.Stock, Spec: []oci.SpecOpts{oci.WithPrivileged}})
		if err != nil {
			t.Fatal(err)
		}
		defer stock.Remove()
		n.WaitForExec(stock)
		files, _ := filepath.Glob("/sys/fs/cgroup/*/" + filepath.Base(n.Dir) + "/" + ours.ID + "/cgroup.procs")
		if len(files) == 0 {
			files = []string{"/sys/fs/cgroup/" + filepath.Base(n.Dir) + "/" + ours.ID + "/cgroup.procs"}
		}
		for _, file := range files {
			writeFile(t, file, strconv.Itoa(int(stock.Task.Pid())))
		}
		all, _, _ := nodeStatus(t, n)
		wantContainer(t, all, ours.ID, true, 2, proved)
		wantContainer(t, all, stock.ID, false, 0, bypasses)
	})
	t.Run("an exec is its container's", func(t *testing.T) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = ours.Exec("/probe", "pause")
		}()
		n.Eventually(5*time.Second, "the exec", func() error {
			out, err := n.Command("batten", "status").CombinedOutput()
			if err != nil && !strings.Contains(string(out), "1 container running, 0 below") {
				return fmt.Errorf("%s", out)
			}
			return nil
		})
		ours.Remove()
		<-ended
	})
}

// TestStatusRuntime: containers that a runtime's command line made are found, by
// whichever process and in whichever way.
func TestStatusRuntime(t *testing.T) {
	n := node.Start(t, newest)
	for runtime, want := range map[string]struct {
		safe bool
		mode int
		text string
	}{
		"batten-runc": {safe: true, mode: 2, text: proved},
		"runc":        {text: "bypasses Batten; runs with no filter, and today's policy would not have it: " + asksNothing + "RuntimeDefault"},
	} {
		t.Run(runtime, func(t *testing.T) {
			id := "foreground-" + runtime
			bundle := n.Bundle(runtime, id, "/probe", "pause")
			run := n.Command(runtime, "run", "--bundle", bundle, id)
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				output(t, "delete", n.Command(runtime, "delete", "--force", id))
				_ = run.Wait()
			}()
			n.Eventually(10*time.Second, "the container", func() error {
				if all, _, _ := nodeStatus(t, n); all[id].Text != want.text {
					return fmt.Errorf("%v", all)
				}
				return nil
			})
			all, _, _ := nodeStatus(t, n)
			wantContainer(t, all, id, want.safe, want.mode, want.text)
			wantVerify(t, n, id, want.safe, want.text)
		})
	}
}

// TestStatusAudit: what runs unfiltered is said to, while the policy audits and after.
func TestStatusAudit(t *testing.T) {
	n := node.Start(t, newest)
	setPolicy(t, n, "version: 1\nmode: Audit\ndenials: Silent\n")
	c, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	runs := "runs with no filter, and today's policy would not have it: " + asksNothing + "RuntimeDefault"
	all, _, _ := nodeStatus(t, n)
	change := n.Record(t, node.Namespace, c.ID).WouldChange
	if change == nil || !strings.HasPrefix(change.Text, "would deny ") {
		t.Fatalf("the record says %+v", change)
	}
	wantContainer(t, all, c.ID, false, 0, runs+"; the policy only audits; enforced, it "+change.Text)
	wantVerify(t, n, c.ID, false, runs+"; the policy only audits; enforced, it "+change.Text)
	if s, _ := wholeStatus(t, n); !slices.Contains(s.Problems, "the policy only audits: containers run as they ask to, until it says mode: Enforce") {
		t.Errorf("problems: %q", s.Problems)
	}
	setPolicy(t, n, "version: 1\n")
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, c.ID, false, 0, runs)
	wantVerify(t, n, c.ID, false, runs)
	setPolicy(t, n, "version: 1\nabsent: Unconfined\n")
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, c.ID, true, 0, "runs with no filter, as today's policy has it: "+asksNothing+"Unconfined")
}

// TestStatusObserved: what is only observed is not said to be safe, while the policy audits
// and after; what is counted is.
func TestStatusObserved(t *testing.T) {
	n := node.Start(t, newest)
	setPolicy(t, n, "version: 1\nmode: Audit\n")
	c, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	runs := "is only observed, and looser than today's policy: break() on x86: ERRNO(EPERM) against LOG"
	change := n.Record(t, node.Namespace, c.ID).WouldChange
	if change == nil || !strings.HasPrefix(change.Text, "would deny ") {
		t.Fatalf("the record says %+v", change)
	}
	all, _, _ := nodeStatus(t, n)
	wantContainer(t, all, c.ID, false, 2, runs+"; the policy only audits; enforced, it "+change.Text)
	wantVerify(t, n, c.ID, false, runs+"; the policy only audits; enforced, it "+change.Text)
	setPolicy(t, n, "version: 1\n")
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, c.ID, false, 2, runs)
	setPolicy(t, n, "version: 1\ndenials: Count\n")
	counted, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, counted.ID, true, 2, proved+"; Batten's listener denies the calls that it notifies of")
	wantVerify(t, n, counted.ID, true, proved+"; Batten's listener denies the calls that it notifies of")
	wantContainer(t, all, c.ID, false, 2, runs)
}

// TestStatusPaused: a container that does not stop is said to, in time, and the others
// are proved.
func TestStatusPaused(t *testing.T) {
	n := node.Start(t, newest)
	paused, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	runs, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	n.WaitForExec(paused)
	n.WaitForExec(runs)
	output(t, "pause", n.Command("ctr", "-n", node.Namespace, "task", "pause", paused.ID))
	began := time.Now()
	all, _, _ := nodeStatus(t, n)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("batten status took %v", took)
	}
	if all[paused.ID].Kind == status.Proved && !node.Exists("/sys/fs/cgroup/freezer") {
		t.Skip("cgroup v2 lets a frozen process be traced")
	}
	verdict := fmt.Sprintf("cannot be proved: process %d does not stop (state D (disk sleep))", paused.Task.Pid())
	wantContainer(t, all, paused.ID, false, 2, verdict)
	wantContainer(t, all, runs.ID, true, 2, proved)
	wantVerify(t, n, paused.ID, false, verdict)
	wantVerify(t, n, runs.ID, true, proved)
	output(t, "resume", n.Command("ctr", "-n", node.Namespace, "task", "resume", paused.ID))
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, paused.ID, true, 2, proved)
	n.Eventually(5*time.Second, "its release", func() error {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", paused.Task.Pid()))
		if err == nil && !strings.Contains(string(text), "State:\tS") || !strings.Contains(string(text), "TracerPid:\t0\n") {
			err = fmt.Errorf("%s", text)
		}
		return err
	})
}

// TestStatusHandlers: which handlers bypass Batten, on each engine. A default that does
// makes the node unsafe while nothing runs.
func TestStatusHandlers(t *testing.T) {
	n := node.Bare(t, newest)
	wrapped(t, n, n.Runtime())
	config := filepath.Join(n.Dir, "containerd.toml")
	writeFile(t, config, "version = 3\n")
	docker := n.DockerConfig()
	writeFile(t, docker, "{}")
	flags := []string{"--containerd", config, "--docker", docker}
	want := func(what string, want ...install.Handler) {
		t.Helper()
		_, got, _ := nodeStatus(t, n, flags...)
		for k := range got {
			got[k].By = ""
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
		for k := range got {
			if got[k] != want[k] {
				t.Errorf("%s: %v, want %v", what, got[k], want[k])
			}
		}
	}
	problems := func(what string, want ...string) {
		t.Helper()
		if s, exit := wholeStatus(t, n, flags...); !slices.Equal(s.Problems, want) || (exit == 0) != (len(want) == 0) {
			t.Errorf("%s: exit %d, problems %q\nwant %q", what, exit, s.Problems, want)
		}
	}
	bypasses := func(engine, name string) string {
		return engine + "'s default, " + name + ", bypasses Batten: only containers that name another one go through it"
	}
	want("as they come", install.Handler{Engine: "containerd", Name: "runc", Default: true},
		install.Handler{Engine: "docker", Name: "runc", Default: true}, install.Handler{Engine: "podman", Name: "crun", Default: true})
	problems("as they come", bypasses("containerd", "runc"), bypasses("docker", "runc"), bypasses("podman", "crun"))
	output(t, "install", n.Command("batten", "install", "--containerd", "--config", config, "--default"))
	output(t, "install", n.Command("batten", "install", "--docker", "--config", docker))
	output(t, "install", n.Command("batten", "install", "--podman", "--default"))
	want("installed", install.Handler{Engine: "containerd", Name: "batten", Default: true, Batten: true}, install.Handler{Engine: "containerd", Name: "runc"},
		install.Handler{Engine: "docker", Name: "runc", Default: true}, install.Handler{Engine: "docker", Name: "batten", Batten: true},
		install.Handler{Engine: "podman", Name: "batten-runc", Default: true, Batten: true})
	problems("installed", bypasses("docker", "runc"))
	output(t, "install", n.Command("batten", "install", "--docker", "--config", docker, "--default"))
	problems("all of them")
	shim := filepath.Join(n.Bin, "containerd-shim-batten-v2")
	if err := os.Rename(shim, shim+".gone"); err != nil {
		t.Fatal(err)
	}
	problems("without the shim", "docker cannot start containers by batten: containerd-shim-batten-v2 is missing")
	s, _ := wholeStatus(t, n, flags...)
	for _, h := range s.Handlers {
		if h.Engine == "docker" && h.Batten {
			t.Errorf("without the shim: %+v", h)
		}
	}
	if err := os.Rename(shim+".gone", shim); err != nil {
		t.Fatal(err)
	}
}
