package node

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Bundle makes a bundle below the node's directory, for an OCI runtime's command
// line, in which args run; and the settings by which batten-runc hands over to the
// node's runtime. Its container is to be called id, or to end with the test.
func (n *Node) Bundle(name, id string, args ...string) string {
	n.t.Helper()
	dir := filepath.Join(n.Dir, name)
	if err := n.bundle(dir, id, args); err != nil {
		n.t.Fatalf("making a bundle: %v", err)
	}
	return dir
}

func (n *Node) bundle(dir, id string, args []string) error {
	if err := os.WriteFile(filepath.Join(n.Etc, "runc.toml"), fmt.Appendf(nil, "Runtime = %q\n", n.Runtime()), 0o644); err != nil {
		return err
	}
	rootfs := filepath.Join(dir, "rootfs")
	if !Exists(rootfs) {
		if err := os.MkdirAll(rootfs, 0o755); err != nil {
			return err
		}
		once(n.t, "image", buildImage)
		out, err := exec.Command("tar", "-C", rootfs, "-xf", filepath.Join(Cache(), "image", "layer.tar")).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	spec := &specs.Spec{
		Version: "1.0.2", Root: &specs.Root{Path: "rootfs"},
		Process: &specs.Process{Args: args, Cwd: "/", NoNewPrivileges: true},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs"}, // runc's links there are made once
		},
		Linux: &specs.Linux{
			CgroupsPath: "/" + filepath.Join(filepath.Base(n.Dir), id),
			Namespaces:  []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}},
		},
	}
	data, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), data, 0o644)
}
