package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/defaults"
)

// Containers of one group share a shim: "start" finds the shim that listens on the
// group's socket, and answers with its address (containerd's
// cmd/containerd-shim-runc-v2/manager/manager_linux.go). The group is an annotation,
// which the container's author may write. In containerd's socket directory it can name
// the group of a stock shim, and that shim would create the container without Batten.
//
// So Batten's shims listen in a directory in which only Batten's "start" makes sockets.
// A group that a stock shim has is no group of Batten's there, and the container gets a
// shim of Batten's own.

// groupAnnotations name a container's group; the first that is there counts. They are
// the stock shim manager's groupLabels.
var groupAnnotations = []string{"io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"}

// maxSocketDir is the longest directory of a shim's socket: a slash and the 64 digits of
// the socket's name follow, and unix(7) allows 107 bytes.
const maxSocketDir = 107 - 1 - 64

// socketDir returns the directory of Batten's sockets, for a daemon whose other shims
// have theirs in stock; empty means containerd's default. Where stock is too long for a
// directory below it, Batten uses the one below the default: a socket's name is a digest
// of the daemon's address and the namespace, too.
func socketDir(stock string) string {
	standard := filepath.Join(defaults.DefaultStateDir, "s")
	if stock == "" {
		stock = standard
	}
	if dir := filepath.Join(stock, "batten"); len(dir) <= maxSocketDir {
		return dir
	}
	return filepath.Join(standard, "batten")
}

// groupOf returns the group that annotations name; empty without one. It refuses a group
// that is no single name: the socket of "../other/x" is that of group x in the containerd
// namespace other.
func groupOf(annotations map[string]string) (string, error) {
	for _, key := range groupAnnotations {
		group, ok := annotations[key]
		if !ok {
			continue
		}
		if group == "." || group == ".." || strings.Contains(group, "/") {
			return "", fmt.Errorf("annotation %s: %q names no group: remove the annotation, or give it a name without slashes", key, group)
		}
		return group, nil
	}
	return "", nil
}

// checkGroup refuses the container of the bundle dir if its group is refused.
func checkGroup(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return err
	}
	var spec struct {
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	_, err = groupOf(spec.Annotations)
	return err
}

// linkSocketDir makes the link in the bundle by which the server finds its socket when it
// removes it (writeSocketDir in containerd's pkg/shim).
func linkSocketDir(bundle, dir string) error {
	link := filepath.Join(bundle, "s")
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(dir, link)
}
