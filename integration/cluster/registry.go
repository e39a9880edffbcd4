package cluster

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"strings"

	"github.com/batten-runtime/batten/integration/node"
)

// ServeImages gives the node a registry in which every repository, by any tag, is
// the test image: for pods as users write them, whose images cannot be had here.
func (c *Cluster) ServeImages() {
	c.t.Helper()
	files, err := untar(node.ImageArchive(c.t))
	if err != nil {
		c.t.Fatal(err)
	}
	var index struct {
		Manifests []struct{ MediaType, Digest string }
	}
	if err := json.Unmarshal(files["index.json"], &index); err != nil {
		c.t.Fatal(err)
	}
	listener, err := c.Listen(node.Registry)
	if err != nil {
		c.t.Fatal(err)
	}
	manifest := index.Manifests[0]
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		digest := path.Base(r.URL.Path)
		if strings.Contains(r.URL.Path, "/manifests/") {
			digest = manifest.Digest
			w.Header().Set("Content-Type", manifest.MediaType)
		}
		w.Header().Set("Docker-Content-Digest", digest)
		data, ok := files["blobs/"+strings.Replace(digest, ":", "/", 1)]
		if !ok && r.URL.Path != "/v2/" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	})}
	go func() { _ = server.Serve(listener) }()
	c.t.Cleanup(func() { server.Close() })
}

// Listen listens at an address in the node's network.
func (c *Cluster) Listen(address string) (listener net.Listener, err error) {
	inside := c.InNetwork(func() { listener, err = net.Listen("tcp", address) })
	return listener, errors.Join(inside, err)
}

func untar(file string) (map[string][]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	files := make(map[string][]byte)
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
}
