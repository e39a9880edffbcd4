package daemonset

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/testneeds"
)

// Nothing is written on the host before the node is labelled as not ready, and a node that cannot
// be made ready is not labelled as ready; an event says why.
func TestNotReadyFirst(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	server, events := madeEvents()
	answer := server.answer
	forbidden := true
	server.answer = func(method, path, body string) (int, string) {
		if forbidden && strings.HasPrefix(path, "/api/v1/nodes/") {
			return 403, "no"
		}
		return answer(method, path, body)
	}
	a, dir, log := agent(t)
	a.Cluster = inCluster(t, server)
	a.Socket = a.host("/run/no.sock")
	mount(t, dir, "1", map[string]string{"policy.yaml": "version: 1\n"})
	if err := a.Run(t.Context()); err == nil || err.Error() != "PATCH /api/v1/nodes/n1: 403 Forbidden: no" {
		t.Errorf("without the right to label: %v", err)
	}
	if entries, err := os.ReadDir(a.host("/")); err != nil || len(entries) > 0 {
		t.Errorf("it has written %v (%v)", entries, err)
	}
	forbidden, server.asked = false, nil
	err := a.Run(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "containerd at ") {
		t.Fatalf("without containerd: %v\n%s", err, log)
	}
	if _, err := os.Stat(a.host(policyPath)); err != nil {
		t.Errorf("the control: %v", err)
	}
	if want := `{"metadata":{"annotations":{"batten-runtime.github.io/older-pods":null},"labels":{"batten-runtime.github.io/older-pods":null,"batten-runtime.github.io/ready":"false"}}}`; !strings.HasSuffix(server.asked[0], want) {
		t.Errorf("first it asked %s", server.asked[0])
	}
	if asked := strings.Join(server.asked, "\n"); strings.Contains(asked, `"true"`) || strings.Contains(asked, `"taints"`) {
		t.Errorf("it asked\n%s", asked)
	}
	var told []string
	for _, e := range events {
		reason, _ := e["reason"].(string)
		message, _ := e["message"].(string)
		told = append(told, reason+": "+message)
	}
	if all := strings.Join(told, "\n"); len(told) != 2 || !strings.Contains(all, "BattenFailed: "+err.Error()) {
		t.Errorf("the events are\n%s", all)
	}
}

// The DaemonSet is deleted while its pod still waits for a policy: what it wrote is taken back.
func TestLeaveBeforeReady(t *testing.T) {
	server, _ := madeEvents()
	answer := server.answer
	deleted := false
	server.answer = func(method, path, body string) (int, string) {
		if method == "GET" && strings.HasPrefix(path, "/apis/apps/v1/") && deleted {
			return 404, "gone"
		}
		return answer(method, path, body)
	}
	for _, deleted = range []bool{false, true} {
		a, _, log := agent(t)
		a.Cluster, a.Socket = inCluster(t, server), a.host("/run/no.sock")
		server.asked = nil
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		err := a.Run(ctx)
		last := server.asked[len(server.asked)-1]
		const off = `"batten-runtime.github.io/ready":null`
		if err == nil || strings.Contains(last, off) != deleted || strings.Contains(log.String(), "the pod ends, Batten stays on the node") == deleted {
			t.Errorf("deleted %v: %v, last it asked %s\n%s", deleted, err, last, log)
		}
	}
}

// What an agent that was killed has left to restart stays, where the next one cannot write.
func TestRestartStaysDue(t *testing.T) {
	for _, killed := range []bool{false, true} {
		a, _, _ := agent(t)
		due := a.host(filepath.Join(a.homeDir(), dueName))
		if err := os.MkdirAll(filepath.Dir(due), 0o755); err != nil {
			t.Fatal(err)
		}
		if killed {
			put(t, due, "/etc/containerd/config.toml\n")
		}
		dangling := filepath.Join(t.TempDir(), "config.toml")
		if err := os.Symlink("nowhere", dangling); err != nil {
			t.Fatal(err)
		}
		if err := a.apply(t.Context(), 0, &install.Plan{File: dangling, After: []byte("version = 3\n")}); err == nil {
			t.Fatal("it was written")
		}
		if _, err := os.Lstat(due); (err == nil) != killed {
			t.Errorf("an earlier agent was killed: %v; its note: %v", killed, err)
		}
	}
}
