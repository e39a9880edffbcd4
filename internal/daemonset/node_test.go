package daemonset

import (
	"strings"
	"testing"
	"time"
)

// The taint goes, whatever its effect; those of others stay as they are, and a node that somebody
// else changes meanwhile is read again.
func TestUntaint(t *testing.T) {
	const others = `{"effect":"NoSchedule","key":"node.cilium.io/agent-not-ready","timeAdded":"2026-01-01T00:00:00Z"}`
	for _, row := range []struct {
		name, spec string
		conflicts  int
		had        bool
		written    string
		err        string
	}{
		{name: "none", spec: `{}`},
		{name: "of others", spec: `{"taints":[` + others + `]}`},
		{
			name: "ours", spec: `{"taints":[{"key":"batten-runtime.github.io/agent-not-ready","effect":"NoSchedule"}]}`,
			had: true, written: `{"metadata":{"resourceVersion":"7"},"spec":{"taints":[]}}`,
		},
		{
			name:      "both, changed twice",
			spec:      `{"taints":[{"key":"batten-runtime.github.io/agent-not-ready","effect":"NoSchedule"},` + others + `,{"key":"batten-runtime.github.io/agent-not-ready","effect":"NoExecute"}]}`,
			conflicts: 2, had: true, written: `{"metadata":{"resourceVersion":"7"},"spec":{"taints":[` + others + `]}}`,
		},
		{
			name: "changed all the time", spec: `{"taints":[{"key":"batten-runtime.github.io/agent-not-ready"}]}`, conflicts: 100,
			err: "the taint batten-runtime.github.io/agent-not-ready cannot be taken off: others keep changing the node",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := oneNode(row.spec, `{}`, row.conflicts)
			had, err := inCluster(t, server).untaint(t.Context())
			if had != row.had || said(err) != row.err {
				t.Errorf("%v, %q", had, said(err))
			}
			if last := server.asked[len(server.asked)-1]; row.written != "" && !strings.HasSuffix(last, row.written) {
				t.Errorf("wrote %s", last)
			}
		})
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A node whose kubelet reports handlers is ready when the handler is one of them.
func TestAwaitHandler(t *testing.T) {
	whole := handlerLimit
	handlerLimit = 0
	t.Cleanup(func() { handlerLimit = whole })
	for status, want := range map[string]string{
		`{}`: "", `{"runtimeHandlers":[{"name":""},{"name":"runc"},{"name":"batten"}]}`: "",
		`{"runtimeHandlers":[{"name":""},{"name":"runc"}]}`: `the kubelet reports the handlers ["" "runc"] of its container runtime (status.runtimeHandlers of node n1), without "batten": have --socket and --config name the containerd that the kubelet uses (its containerRuntimeEndpoint)`,
	} {
		if err := inCluster(t, oneNode(`{}`, status, 0)).awaitHandler(t.Context(), "batten"); said(err) != want {
			t.Errorf("%s: %v", status, err)
		}
	}
	// The kubelet comes to it in time.
	handlerLimit = time.Minute
	status := `{"runtimeHandlers":[{"name":"runc"}]}`
	server := oneNode(`{}`, `{}`, 0)
	server.answer = func(string, string, string) (int, string) {
		if len(server.asked) > 1 {
			status = `{"runtimeHandlers":[{"name":"batten"}]}`
		}
		return 200, `{"status":` + status + `}`
	}
	if err := inCluster(t, server).awaitHandler(t.Context(), "batten"); err != nil || len(server.asked) != 2 {
		t.Errorf("%v after %d calls", err, len(server.asked))
	}
}
