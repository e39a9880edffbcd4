package integration

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
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
