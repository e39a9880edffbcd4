package integration

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// dockers are the ways in which Docker Engine comes to Batten: the old line can
// only name an OCI runtime, the new one a shim, too. The old line gives privileged
// containers every capability that it knows, also those that this machine may lack,
// and then its own runc refuses them.
var dockers = []struct {
	name, engine string
	runtime      func(n *node.Node) map[string]any
	owner        string // of the records
	privileged   string
}{
	{name: "20.10, path", engine: "debian", runtime: func(n *node.Node) map[string]any {
		return map[string]any{"path": filepath.Join(n.Bin, "batten-runc")}
	}, owner: "@run@docker@runtime-runc@moby", privileged: "--cap-add=SYS_ADMIN"},
	{name: "new, path", engine: newest, runtime: func(n *node.Node) map[string]any {
		return map[string]any{"path": filepath.Join(n.Bin, "batten-runc")}
	}, owner: "@run@docker@runtime-runc@moby", privileged: "--privileged"},
	{name: "new, runtimeType", engine: newest, runtime: func(*node.Node) map[string]any {
		return map[string]any{"runtimeType": "io.containerd.batten.v2"}
	}, owner: "moby", privileged: "--privileged"},
}

// TestDocker: what Docker starts unfiltered runs filtered, its exec and its health
// check too; a filter that it brings stays; by name and as the default runtime.
func TestDocker(t *testing.T) {
	for _, tt := range dockers {
		t.Run(tt.name, func(t *testing.T) {
			n := node.Bare(t, tt.engine)
			wrapped(t, n, n.Runtime())
			runtimes := map[string]any{"batten": tt.runtime(n)}
			stop := n.StartDocker(node.DockerConfig{"runtimes": runtimes})
			output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
			own := filepath.Join(n.Dir, "own.json")
			writeFile(t, own, `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[{"names":["add_key","perf_event_open"],"action":"SCMP_ACT_ERRNO"}]}`)
			for _, c := range []struct {
				name          string
				flags         []string
				stock, batten string
			}{
				{
					name: "unconfined", flags: []string{"--security-opt", "seccomp=unconfined"},
					stock: unfiltered, batten: filtered,
				},
				{
					name:  "privileged",
					flags: []string{"--security-opt", "seccomp=unconfined", tt.privileged},
					stock: unfiltered, batten: filteredAdmin,
				},
				{
					name: "its own", flags: []string{"--security-opt", "seccomp=" + own},
					stock: keysDenied, batten: keysDenied,
				},
			} {
				if out := output(t, c.name, dockerRun(n, c.flags, probeCalls...)); out != c.stock {
					t.Errorf("%s, stock: wrote\n%swant\n%s", c.name, out, c.stock)
				}
				if out := output(t, c.name, dockerRun(n, append(c.flags, "--runtime", "batten"), probeCalls...)); out != c.batten {
					t.Errorf("%s: wrote\n%swant\n%s", c.name, out, c.batten)
				}
			}
			stop()
			n.StartDocker(node.DockerConfig{"runtimes": runtimes, "default-runtime": "batten"})
			checkDockerLife(t, n, tt.owner, tt.privileged)
			checkDockerRefusal(t, n)
		})
	}
}

func dockerRun(n *node.Node, flags []string, args ...string) *exec.Cmd {
	return n.Docker(append(append(append([]string{"run", "--rm", "--network", "none"}, flags...), "probe"), args...)...)
}

// checkDockerLife: with Batten as the default runtime nobody has to name it; an
// exec and a health check run under the container's filter.
func checkDockerLife(t *testing.T, n *node.Node, owner, privileged string) {
	t.Helper()
	output(t, "run", dockerRun(n, []string{
		privileged, "--security-opt", "seccomp=unconfined", "--detach", "--name", "life",
		"--health-cmd", strings.Join(probeCalls, " "), "--health-interval", "1s",
	}, "/probe", "pause"))
	if out := output(t, "exec", n.Docker("exec", "life", "/probe", "call", "getpid", "keyctl")); out != calls("getpid", "OK", "keyctl", "EPERM") {
		t.Errorf("an exec wrote %s", out)
	}
	exec := []string{"exec", "life"}
	if privileged == "--privileged" {
		exec = []string{"exec", privileged, "life"}
	}
	if out := output(t, "exec", n.Docker(append(exec, probeCalls...)...)); out != filteredAdmin {
		t.Errorf("an exec with all that the container has wrote\n%swant\n%s", out, filteredAdmin)
	}
	n.Eventually(10*time.Second, "a health check", func() error {
		out := output(t, "inspect", n.Docker("inspect", "--format", "{{range .State.Health.Log}}{{.Output}}{{end}}", "life"))
		if !strings.HasPrefix(out, filteredAdmin) {
			return fmt.Errorf("it wrote\n%s\nwant\n%s", out, filteredAdmin)
		}
		return nil
	})
	if files, _ := filepath.Glob(n.Path("/run/batten/" + owner + "/*.json")); len(files) != 1 {
		all, _ := filepath.Glob(n.Path("/run/batten/*/*"))
		t.Errorf("records of %s: %q; there are %q", owner, files, all)
	}
	if out := output(t, "verify", n.Command("batten", "verify")); !strings.Contains(out, ": proved, 1 filter as strict as its record and today's policy") {
		t.Errorf("batten verify: %s", out)
	}
	all, _, safe := nodeStatus(t, n, "--docker", n.DockerConfig())
	if !safe || len(all) != 1 {
		t.Errorf("batten status: safe %v with %v", safe, all)
	}
	wantCalled(t, n, all, map[string]string{"life": "probe"})
	output(t, "stock", dockerRun(n, []string{"--runtime", "runc", "--detach", "--name", "stock", privileged, "--security-opt", "seccomp=unconfined"}, "/probe", "pause"))
	if all, _, safe := nodeStatus(t, n, "--docker", n.DockerConfig()); safe || len(all) != 2 {
		t.Errorf("batten status beside a stock container: safe %v with %v", safe, all)
	} else {
		wantCalled(t, n, all, map[string]string{"life": "probe", "stock": "probe"})
	}
	output(t, "rm", n.Docker("rm", "--force", "life", "stock"))
	if left, _ := filepath.Glob(n.Path("/run/batten/*/*.json")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// checkDockerRefusal: a refusal's words reach whoever called docker. Beside it,
// one with Docker's own profile runs; a rule can tell Docker's containers.
func checkDockerRefusal(t *testing.T, n *node.Node) {
	t.Helper()
	setPolicy(t, n, "version: 1\nrules: [{name: no docker, match: {containerdNamespace: [moby]}, absent: Deny}]\n")
	out, err := dockerRun(n, []string{"--security-opt", "seccomp=unconfined"}, probeCalls...).CombinedOutput()
	if refusal := `rule "no docker" says absent: Deny (policy "/etc/batten/policy.yaml")`; err == nil || !strings.Contains(string(out), refusal) {
		t.Errorf("refused: %v: %s\nwant %s", err, out, refusal)
	}
	if out := output(t, "allowed", dockerRun(n, nil, "/probe", "call", "getpid", "bpf")); out != calls("getpid", "OK", "bpf", "EPERM") {
		t.Errorf("allowed: wrote\n%s", out)
	}
	own := profileFile(t, n)
	wantAsks(t, n, func() string {
		return output(t, "default", dockerRun(n, []string{"--cap-add", "SYS_TIME"}, "/probe", "call", "getpid"))
	}, func() string {
		return output(t, "own", dockerRun(n, []string{"--security-opt", "seccomp=" + own}, "/probe", "call", "getpid"))
	})
}

// TestDockerBuild: the steps of Docker's old builder are containers of the default
// runtime. BuildKit calls the runc that is first on dockerd's PATH, and bypasses
// Batten, unless that is batten-runc or a newer dockerd is told which. 20.10 cannot be told.
func TestDockerBuild(t *testing.T) {
	const refusal = `rule "no builds" says present: Deny (policy "/etc/batten/policy.yaml")`
	const rule = "version: 1\nrules: [{name: no builds, match: {runtime: [batten-runc]}, present: Deny}]\n"
	for _, tt := range []struct {
		name, engine, buildkit, env string
		stopped                     bool
	}{
		{name: "the old builder", engine: "debian", buildkit: "DOCKER_BUILDKIT=0", stopped: true},
		{name: "BuildKit", engine: newest, buildkit: "DOCKER_BUILDKIT=1"},
		{
			name: "BuildKit, told", engine: newest, buildkit: "DOCKER_BUILDKIT=1",
			env: "DOCKER_BUILDKIT_RUNC_COMMAND=batten-runc", stopped: true,
		},
		{name: "BuildKit of 20.10", engine: "debian", buildkit: "DOCKER_BUILDKIT=1"},
		{
			name: "BuildKit of 20.10, told", engine: "debian", buildkit: "DOCKER_BUILDKIT=1",
			env: "DOCKER_BUILDKIT_RUNC_COMMAND=batten-runc",
		},
		{
			name: "BuildKit, a runc in front", engine: newest, buildkit: "DOCKER_BUILDKIT=1",
			env: "PATH=", stopped: true,
		},
		{
			name: "BuildKit of 20.10, a runc in front", engine: "debian",
			buildkit: "DOCKER_BUILDKIT=1", env: "PATH=", stopped: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := node.Bare(t, tt.engine)
			wrapped(t, n, n.Runtime())
			runtimes := map[string]any{"batten": map[string]any{"path": filepath.Join(n.Bin, "batten-runc")}}
			if tt.env == "PATH=" {
				output(t, "link", n.Command("sh", "-c", "mkdir -p /etc/batten/builds && ln -s "+filepath.Join(n.Bin, "batten-runc")+" /etc/batten/builds/runc"))
				tt.env += "/etc/batten/builds:" + n.Bin + ":/usr/sbin:/usr/bin:/sbin:/bin"
			}
			n.StartDocker(node.DockerConfig{"runtimes": runtimes, "default-runtime": "batten"}, tt.env)
			output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
			if s, _ := wholeStatus(t, n, "--docker", n.DockerConfig()); tt.buildkit == "DOCKER_BUILDKIT=1" && (len(s.Builders) != 1 || s.Builders[0].Batten != tt.stopped) {
				t.Errorf("batten status says of builds %v, want %v", s.Builders, tt.stopped)
			}
			build := func() (string, error) {
				cmd := n.Docker("build", "--no-cache", "--network", "none", "-")
				cmd.Env = append(cmd.Env, tt.buildkit)
				cmd.Stdin = strings.NewReader("FROM probe\nRUN [\"/probe\", \"call\", \"getpid\", \"keyctl\"]\n")
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			if out, err := build(); err != nil || !strings.Contains(out, "keyctl: EPERM") {
				t.Errorf("allowed: %v: %s", err, out)
			}
			setPolicy(t, n, rule)
			out, err := build()
			if stopped := err != nil && strings.Contains(out, refusal); stopped != tt.stopped {
				t.Errorf("stopped by the policy: %v, want %v: %v: %s", stopped, tt.stopped, err, out)
			}
		})
	}
}
