package daemonset

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// TestCluster: what is asked of the API server, and that only a plain answer means
// that the DaemonSet is gone.
func TestCluster(t *testing.T) {
	var asked, body string
	status, answer := http.StatusOK, "{}"
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		asked, body = r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+r.Header.Get("Content-Type"), string(data)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
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
	if err := c.label(t.Context(), "batten"); err != nil {
		t.Fatal(err)
	}
	if want := "PATCH /api/v1/nodes/n1 Bearer secret application/merge-patch+json"; asked != want || body != `{"metadata":{"labels":{"batten-runtime.github.io/handler":"batten"}}}` {
		t.Errorf("asked %s: %s", asked, body)
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
