package daemonset

import (
	"os"
	"strings"
	"testing"

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
