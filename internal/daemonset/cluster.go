package daemonset

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Label is the node's label by which the RuntimeClass schedules; its value is the
// handler's name.
const Label = "batten-runtime.github.io/handler"

// Cluster is the API server, as a pod reaches it. The agent makes only two calls, so it does
// not need client-go.
type Cluster struct {
	// Node is the node's name; Namespace and Name are the DaemonSet's.
	Node, Namespace, Name string

	server  string
	account *os.Root
	client  *http.Client
}

// InCluster finds the API server by a pod's environment and service account.
func InCluster(account, node, namespace, name string) (*Cluster, error) {
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" || node == "" {
		return nil, errors.New("KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT and --node are needed to label the node")
	}
	root, err := os.OpenRoot(account)
	if err != nil {
		return nil, err
	}
	ca, err := root.ReadFile("ca.crt")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s/ca.crt holds no certificate", account)
	}
	return &Cluster{
		Node: node, Namespace: namespace, Name: name, account: root,
		server: "https://" + net.JoinHostPort(host, port),
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}},
	}, nil
}

// label sets the node's label; nil takes it off.
func (c *Cluster) label(ctx context.Context, value any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]any{Label: value}}})
	if err != nil {
		return err
	}
	_, err = c.call(ctx, http.MethodPatch, "/api/v1/nodes/"+url.PathEscape(c.Node), patch)
	return err
}

// deleted reports whether the DaemonSet is deleted or being deleted.
func (c *Cluster) deleted(ctx context.Context) (bool, error) {
	data, err := c.call(ctx, http.MethodGet, "/apis/apps/v1/namespaces/"+url.PathEscape(c.Namespace)+"/daemonsets/"+url.PathEscape(c.Name), nil)
	if errors.Is(err, errNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var set struct {
		Metadata struct {
			DeletionTimestamp *string `json:"deletionTimestamp"`
		} `json:"metadata"`
	}
	err = json.Unmarshal(data, &set)
	return set.Metadata.DeletionTimestamp != nil, err
}

var errNotFound = errors.New("not found")

func (c *Cluster) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	token, err := c.account.ReadFile("token") // which changes
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	if body != nil {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%s %s: %w", method, path, errNotFound)
	case response.StatusCode >= 300:
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, data)
	}
	return data, nil
}
