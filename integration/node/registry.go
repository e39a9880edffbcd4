package node

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
)

// ServeImages serves a registry in which every repository, by any tag, is the
// archive's image: for those whose images cannot be had here.
func (n *Node) ServeImages(listener net.Listener, archive string) {
	n.t.Helper()
	files, err := untar(archive)
	if err != nil {
		n.t.Fatal(err)
	}
	var index struct {
		Manifests []struct{ MediaType, Digest string }
	}
	if err := json.Unmarshal(files["index.json"], &index); err != nil {
		n.t.Fatal(err)
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
	n.t.Cleanup(func() { server.Close() })
}

// Listen listens at an address in the node's network.
func (n *Node) Listen(address string) (listener net.Listener) {
	n.t.Helper()
	var err error
	inside := n.InNetwork(func() { listener, err = net.Listen("tcp", address) })
	if err := errors.Join(inside, err); err != nil {
		n.t.Fatal(err)
	}
	return listener
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
