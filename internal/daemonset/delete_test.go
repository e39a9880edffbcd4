package daemonset

import (
	"context"
	"strings"
	"testing"
	"time"
)

// Delete waits for the pods: the DaemonSet is gone when they are.
func TestDelete(t *testing.T) {
	left := 1
	server := &apiServer{answer: func(method, _, _ string) (int, string) {
		if method == "GET" {
			left--
		}
		if left < 0 {
			return 404, ""
		}
		return 200, "{}"
	}}
	if err := inCluster(t, server).Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `DELETE /apis/apps/v1/namespaces/s/daemonsets/batten Bearer secret application/json {"propagationPolicy":"Foreground"}`
	if len(server.asked) != 3 || server.asked[0] != want {
		t.Errorf("asked %q", server.asked)
	}
	for answer, want := range map[int]string{
		404: "", 200: "pods of the DaemonSet s/batten have not ended: context deadline exceeded",
		403: "DELETE /apis/apps/v1/namespaces/s/daemonsets/batten: 403 Forbidden: no",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		err := inCluster(t, &apiServer{answer: func(string, string, string) (int, string) { return answer, "no" }}).Delete(ctx)
		if said(err) != want && !strings.HasPrefix(said(err), want+" ") {
			t.Errorf("%d: %v", answer, err)
		}
	}
}
