package status

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/batten-runtime/batten/internal/procfs"
)

// bundleOf returns the bundle of the container whose first process is pid. A shim of
// containerd works in the bundle of its first container, beside those of its others,
// and the runtime writes the pid into each: a cgroup's name would be what a
// privileged container made it.
func bundleOf(pid int, shimDir, containerdNamespace string) (dir string, ok bool) {
	bundles := filepath.Dir(shimDir)
	if containerdNamespace == "" || filepath.Base(bundles) != containerdNamespace {
		return "", false
	}
	files, _ := filepath.Glob(filepath.Join(bundles, "*", "init.pid"))
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(text)) == strconv.Itoa(pid) {
			return filepath.Dir(file), true
		}
	}
	return "", false
}

// option is the value of one of a command's arguments: -id x, or --cid x.
func option(args []string, names ...string) string {
	for i := 1; i+1 < len(args); i++ {
		if slices.Contains(names, args[i]) {
			return args[i+1]
		}
	}
	return ""
}

var containerID = regexp.MustCompile(`[0-9a-f]{64}`)

// idOf is what a container is called where only its cgroup tells: the last 64
// hexadecimal digits, or the last part of the path. It is for people to read.
func idOf(p procfs.Process) string {
	if all := containerID.FindAllString(p.Cgroup, -1); len(all) > 0 {
		return all[len(all)-1]
	}
	if id := strings.TrimSuffix(filepath.Base(p.Cgroup), ".scope"); id != "/" && id != "." {
		return id
	}
	return p.Name
}
