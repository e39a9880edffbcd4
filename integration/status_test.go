package integration

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/install"
	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/status"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// nodeStatus runs batten status, and says whether it exits with 0.
func nodeStatus(t *testing.T, n *node.Node, args ...string) (containers map[string]status.Container, handlers []install.Handler, safe bool) {
	t.Helper()
	cmd := n.Command(append([]string{"batten", "status", "--json"}, args...)...)
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("batten status: %v: %s", err, err.(*exec.ExitError).Stderr)
	}
	var s struct {
		Handlers      []install.Handler
		HandlersError string
		Containers    []status.Container
	}
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if s.HandlersError != "" {
		t.Errorf("handlers: %s", s.HandlersError)
	}
	containers = make(map[string]status.Container)
	for _, c := range s.Containers {
		containers[c.ID] = c
	}
	return containers, s.Handlers, err == nil
}

// wantContainer checks what batten status says of one container.
func wantContainer(t *testing.T, all map[string]status.Container, id string, safe bool, mode int, verdict string) {
	t.Helper()
	c, ok := all[id]
	if !ok {
		t.Errorf("%s is not found among %v", id, all)
		return
	}
	if c.Safe != safe || c.Seccomp != mode || c.Verdict != verdict {
		t.Errorf("%s: safe %v, Seccomp: %d, %s\nwant %v, %d, %s", id, c.Safe, c.Seccomp, c.Verdict, safe, mode, verdict)
	}
}

// TestStatus: a container that goes round Batten makes the node unsafe, by
// whichever way it came, unless the policy would have left it as it is.
func TestStatus(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		forced := "as its record says: it asks for no seccomp filter, and the policy's top level says absent: RuntimeDefault"
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
		all, _, safe = nodeStatus(t, n)
		wantContainer(t, all, ours.ID, true, 2, forced)
		wantContainer(t, all, stock.ID, false, 0, "went round Batten; runs unfiltered, and the policy would not have it: it asks for no seccomp filter, and the policy's top level says absent: RuntimeDefault")
		wantContainer(t, all, own.ID, true, 2, "went round Batten; the policy would have left it as it is: it brings a seccomp filter, and the policy's top level says present: Keep")
		if safe {
			t.Error("the node is called safe")
		}
		setPolicy(t, n, "version: 1\nabsent: Unconfined\npresent: Deny\n")
		all, _, _ = nodeStatus(t, n)
		wantContainer(t, all, stock.ID, true, 0, "went round Batten; the policy would have left it as it is: it asks for no seccomp filter, and the policy's top level says absent: Unconfined")
		wantContainer(t, all, own.ID, false, 2, "went round Batten; the policy would have refused it: it brings a seccomp filter, and the policy's top level says present: Deny")
		setPolicy(t, n, "version: 1\nabsent: Unconfned\n")
		out, err := n.Command("batten", "status").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "policy: no container can start through Batten:") || !strings.Contains(string(out), "NO  ") {
			t.Errorf("with a broken policy: %v: %s", err, out)
		}
	})
}

// TestStatusHandlers: which handlers go round Batten, on each engine.
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
	want("as they come", install.Handler{Engine: "containerd", Name: "runc", Default: true},
		install.Handler{Engine: "docker", Name: "runc", Default: true}, install.Handler{Engine: "podman", Name: "crun", Default: true})
	output(t, "install", n.Command("batten", "install", "--containerd", "--config", config, "--default"))
	output(t, "install", n.Command("batten", "install", "--docker", "--config", docker))
	output(t, "install", n.Command("batten", "install", "--podman", "--default"))
	want("installed", install.Handler{Engine: "containerd", Name: "batten", Default: true, Batten: true}, install.Handler{Engine: "containerd", Name: "runc"},
		install.Handler{Engine: "docker", Name: "runc", Default: true}, install.Handler{Engine: "docker", Name: "batten", Batten: true},
		install.Handler{Engine: "podman", Name: "batten", Default: true, Batten: true})
}
