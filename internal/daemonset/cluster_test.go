package daemonset

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// An apiServer answers calls by what answer says, and keeps what it was asked.
type apiServer struct {
	answer func(method, path, body string) (status int, answer string)
	asked  []string
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	s.asked = append(s.asked, fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), data))
	status, answer := s.answer(r.Method, r.URL.Path, string(data))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

// inCluster returns the API server as the agent of node n1 reaches it.
func inCluster(t *testing.T, s *apiServer) *Cluster {
	t.Helper()
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	account := t.TempDir()
	for name, data := range map[string][]byte{
		"token": []byte("secret\n"), "ca.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	} {
		if err := os.WriteFile(filepath.Join(account, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address, _ := url.Parse(server.URL)
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if _, err := InCluster(account, "n1", "s", "batten"); err == nil {
		t.Error("outside of a cluster there is one")
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", address.Hostname())
	t.Setenv("KUBERNETES_SERVICE_PORT", address.Port())
	c, err := InCluster(account, "n1", "s", "batten")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCluster: what is asked of the API server, and that only a plain answer means
// that the DaemonSet is gone.
func TestCluster(t *testing.T) {
	status, answer := http.StatusOK, "{}"
	server := &apiServer{answer: func(string, string, string) (int, string) { return status, answer }}
	c := inCluster(t, server)
	if _, err := c.mark(t.Context(), keys{Label: "batten", Ready: "true"}, keys{Older: nil}); err != nil {
		t.Fatal(err)
	}
	want := "PATCH /api/v1/nodes/n1 Bearer secret application/merge-patch+json " +
		`{"metadata":{"annotations":{"batten-runtime.github.io/older-pods":null},"labels":{"batten-runtime.github.io/handler":"batten","batten-runtime.github.io/ready":"true"}}}`
	if server.asked[0] != want {
		t.Errorf("asked %s", server.asked[0])
	}
	for _, row := range []struct {
		status int
		answer string
		gone   bool
		err    string
	}{
		{status: 200, answer: `{"metadata":{}}`},
		{
			status: 200, answer: `{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}`,
			gone: true,
		},
		{status: 404, answer: `{}`, gone: true},
		{
			status: 403, answer: `no`,
			err: "GET /apis/apps/v1/namespaces/s/daemonsets/batten: 403 Forbidden: no",
		},
		{
			status: 500, answer: ``,
			err: "GET /apis/apps/v1/namespaces/s/daemonsets/batten: 500 Internal Server Error: ",
		},
	} {
		status, answer = row.status, row.answer
		gone, err := c.deleted(t.Context())
		said := ""
		if err != nil {
			said = err.Error()
		}
		if gone != row.gone || said != row.err {
			t.Errorf("%d %s: %v, %q", row.status, row.answer, gone, said)
		}
	}
}

// oneNode answers as an API server that has the one Node, whose taints are changed by others
// the given number of times first.
func oneNode(spec, status string, conflicts int) *apiServer {
	return &apiServer{answer: func(_, _, body string) (int, string) {
		var patch struct {
			Spec json.RawMessage `json:"spec"`
		}
		if err := json.Unmarshal([]byte(body), &patch); err != nil {
			return 400, err.Error()
		}
		if patch.Spec != nil {
			if conflicts > 0 {
				conflicts--
				return 409, ""
			}
			spec = string(patch.Spec)
		}
		return 200, fmt.Sprintf(`{"metadata":{"uid":"u1","resourceVersion":"7"},"spec":%s,"status":%s}`, spec, status)
	}}
}
