package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/manifest"
)

// Node says where a node, or a copy of its files, has what findings depend on.
type Node struct {
	// SeccompRoot is the directory in which the kubelet looks for profiles. It must
	// exist if SeccompRequired is set.
	SeccompRoot     string
	SeccompRequired bool
	// Containerd is the file of containerd's configuration, empty for that of the node's
	// distribution; its handlers count if Handlers is nil. It must be readable if
	// ContainerdRequired is set.
	Containerd         string
	ContainerdRequired bool
	Handlers           []string
}

// Look returns what the node has. Notes say what is unknown because others than root may
// not read it.
func (n Node) Look() (env manifest.Environment, notes []string, err error) {
	env.SeccompRoot, env.Handlers = n.SeccompRoot, n.Handlers
	err = filepath.WalkDir(n.SeccompRoot, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if env.SeccompFiles == nil {
			env.SeccompFiles = []string{}
		}
		if rel, err := filepath.Rel(n.SeccompRoot, path); err == nil && !d.IsDir() {
			env.SeccompFiles = append(env.SeccompFiles, filepath.ToSlash(rel))
		}
		return nil
	})
	switch {
	case err == nil || !n.SeccompRequired && errors.Is(err, fs.ErrNotExist):
	case !n.SeccompRequired && errors.Is(err, fs.ErrPermission):
		env.SeccompFiles = nil
		notes = append(notes, fmt.Sprintf("the kubelet's profiles are unknown, only root can read %s", n.SeccompRoot))
	default:
		return env, nil, err
	}
	if n.Handlers != nil {
		return env, notes, nil
	}
	if config := install.ContainerdConfig(n.Containerd); !n.ContainerdRequired && isLocked(config) {
		return env, append(notes, fmt.Sprintf("the node's handlers are unknown, only root can read %s", config)), nil
	}
	handlers, err := install.Handlers(install.Configs{Containerd: n.Containerd})
	for _, h := range handlers {
		if h.Engine == "containerd" {
			env.Handlers = append(env.Handlers, h.Name)
		}
	}
	return env, notes, err
}

// isLocked reports whether a file may not be read.
func isLocked(path string) bool {
	f, err := os.Open(path)
	if err == nil {
		f.Close()
	}
	return errors.Is(err, fs.ErrPermission)
}
