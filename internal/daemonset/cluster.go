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

// Cluster is the API server, as a pod reaches it. The agent makes few kinds of calls, so it
// does not need client-go.
type Cluster struct {
	// Node is the node's name; Namespace and Name are the DaemonSet's.
	Node, Namespace, Name string

	server  string
	account *os.Root
	client  *http.Client
	sent    []time.Time // when events were sent, as far as they count for the rate
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

func (c *Cluster) daemonSet() string {
	return "/apis/apps/v1/namespaces/" + url.PathEscape(c.Namespace) + "/daemonsets/" + url.PathEscape(c.Name)
}

// deleted reports whether the DaemonSet is deleted or being deleted.
func (c *Cluster) deleted(ctx context.Context) (bool, error) {
	data, err := c.call(ctx, http.MethodGet, c.daemonSet(), nil)
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

// Answers that are no failure of the API server.
var (
	errNotFound = errors.New("not found")
	errConflict = errors.New("changed by somebody else, or there already")
)

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
	switch method {
	case http.MethodPatch:
		request.Header.Set("Content-Type", "application/merge-patch+json")
	case http.MethodPost, http.MethodDelete:
		request.Header.Set("Content-Type", "application/json")
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
	case response.StatusCode == http.StatusConflict:
		return nil, fmt.Errorf("%s %s: %w", method, path, errConflict)
	case response.StatusCode >= 300:
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, data)
	}
	return data, nil
}
