package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// shipped puts a policy of deploy/policies in place, with all profiles there.
func shipped(t *testing.T, n *node.Node, name string) {
	t.Helper()
	dir := filepath.Join(node.Root(), "deploy/policies")
	profiles, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(profiles, filepath.Join(dir, name+".yaml")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(file) == ".yaml" {
			setPolicy(t, n, string(text))
			continue
		}
		writeFile(t, filepath.Join(n.Etc, filepath.Base(file)), string(text))
	}
}

// outsideFlags are flags of docker and podman that reach out of a container, with the
// rule of node-files.yaml that refuses it; none where it runs.
var outsideFlags = []struct {
	name  string
	flags []string
	rule  string
}{
	{name: "nothing"},
	{name: "a directory of the node's", flags: []string{"-v", "/usr/share:/host"}},
	{name: "the node's processes", flags: []string{"--pid", "host"}},
	{name: "the node's processes, to trace", flags: []string{"--pid", "host", "--cap-add", "SYS_PTRACE"}, rule: "the node's processes, with the right to trace them"},
	{name: "those of a container that has the node's", flags: []string{"--pid", "container:joined", "--cap-add", "SYS_PTRACE"}, rule: "the node's processes, with the right to trace them"},
	{name: "the policy", flags: []string{"-v", "/etc/batten:/host:ro"}, rule: "the node's files that decide over containers"},
	{name: "all of the node", flags: []string{"-v", "/:/host"}, rule: "the node's files that decide over containers"},
	{name: "all of the node, by --mount", flags: []string{"--mount", "type=bind,source=/etc,target=/host"}, rule: "the node's files that decide over containers"},
}

// checkOutside runs a container with each of outsideFlags, by the stock runtime, where
// it must start, and by Batten. A container "joined" is there meanwhile.
func checkOutside(t *testing.T, run func(batten bool, flags ...string) *exec.Cmd) {
	t.Helper()
	output(t, "joined", run(false, "--detach", "--name", "joined", "--pid", "host"))
	for _, tt := range outsideFlags {
		for _, batten := range []bool{false, true} {
			out, err := run(batten, append([]string{"--rm"}, tt.flags...)...).CombinedOutput()
			switch stopped := batten && tt.rule != ""; {
			case stopped && (err == nil || !strings.Contains(string(out), `rule "`+tt.rule+`" says`)):
				t.Errorf("%s: %v: %s\nwant a refusal by %s", tt.name, err, out, tt.rule)
			case !stopped && (err != nil || !strings.Contains(string(out), "getpid: OK")):
				t.Errorf("%s, Batten %v: %v: %s", tt.name, batten, err, out)
			}
		}
	}
}

// TestDockerOutside: what docker run gives of the node is what rules match.
func TestDockerOutside(t *testing.T) {
	for _, tt := range dockers {
		t.Run(tt.name, func(t *testing.T) {
			n := node.Bare(t, tt.engine)
			wrapped(t, n, n.Runtime())
			n.StartDocker(node.DockerConfig{"runtimes": map[string]any{"batten": tt.runtime(n)}})
			output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
			shipped(t, n, "node-files")
			checkOutside(t, func(batten bool, flags ...string) *exec.Cmd {
				args := append([]string{"run", "--network", "none"}, flags...)
				if batten {
					args = append(args, "--runtime", "batten")
				}
				return n.Docker(append(args, outsideCommand("probe", flags)...)...)
			})
			output(t, "removing it", n.Docker("rm", "--force", "joined"))
			checkDockerHooks(t, n, tt.engine == "debian")
		})
	}
}

// checkDockerHooks: Docker's old line has a hook of its own set up each container's
// network. hooks: Record lets it run, and hooks: Deny refuses the container.
func checkDockerHooks(t *testing.T, n *node.Node, brings bool) {
	t.Helper()
	for word, refused := range map[string]bool{"Keep": false, "Record": false, "Deny": brings} {
		setPolicy(t, n, "version: 1\nhooks: "+word+"\n")
		out, err := dockerRun(n, []string{"--runtime", "batten"}, "/probe", "call", "getpid").CombinedOutput()
		if (err != nil) != refused || refused && !strings.Contains(string(out), "container refused: it brings the hook prestart /proc/") {
			t.Errorf("hooks: %s: %v: %s", word, err, out)
		}
	}
}

// outsideCommand is the image and what runs in it: a container that is detached waits.
func outsideCommand(image string, flags []string) []string {
	out := []string{image, "/probe", "call", "getpid"}
	if flags[0] == "--detach" {
		out = append(out, "--", "pause")
	}
	return out
}

// TestPodmanOutside: the same by podman run, through batten-runc on runc and on crun.
func TestPodmanOutside(t *testing.T) {
	for _, runtime := range []string{"runc", "crun"} {
		t.Run(runtime, func(t *testing.T) {
			n := node.Bare(t, "debian")
			real, wrapper := filepath.Join(n.Bin, runtime), filepath.Join(n.Bin, "batten-runc")
			wrapped(t, n, real)
			output(t, "load", podman(n, real, "load", "-i", node.ImageArchive(t)))
			shipped(t, n, "node-files")
			checkOutside(t, func(batten bool, flags ...string) *exec.Cmd {
				by := real
				if batten {
					by = wrapper
				}
				return podman(n, by, append(podmanRun(n, flags...), outsideCommand(node.Image, flags)...)...)
			})
			output(t, "removing it", podman(n, real, "rm", "--force", "--time", "0", "joined"))
		})
	}
}
