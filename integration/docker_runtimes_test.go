package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/install"
)

// shimsDir is where batten install --all-runtimes puts its links.
const shimsDir = "/etc/batten/shims"

// TestDockerAllRuntimes: whatever runtime a user of Docker names goes through Batten or is
// refused after batten install --docker --all-runtimes; before, and after batten uninstall,
// it is not.
func TestDockerAllRuntimes(t *testing.T) {
	absolute := node.Shim(t)
	for _, tt := range []struct {
		engine        string
		stock, batten map[string]string // what a runtime's container writes, or a part of the refusal
	}{
		{
			engine: newest,
			stock: map[string]string{
				"runc": unfiltered, "io.containerd.runc.v2": unfiltered, "any.runc.v2": unfiltered,
				absolute: "unknown or invalid runtime name",
			},
			batten: map[string]string{
				"": filtered, "runc": filtered, "io.containerd.runc.v2": filtered, "any.runc.v2": filtered, "batten": filtered,
				"io.containerd.batten.v2": filtered, absolute: "unknown or invalid runtime name",
				"io.containerd.runc.v1": "containerd-shim-runc-v1 does not go through Batten",
			},
		},
		{
			engine: "debian",
			stock: map[string]string{
				"runc": unfiltered, "io.containerd.runc.v2": unfiltered, "io.containerd.runtime.v1.linux": unfiltered,
				"any.runc.v2": "Unknown runtime specified", absolute: "Unknown runtime specified",
			},
			batten: map[string]string{
				"": filtered, "runc": filtered, "io.containerd.runc.v2": filtered, "batten": filtered,
				// The shim refuses and ends; containerd's words tell when it looked.
				"io.containerd.runtime.v1.linux": "Error response from daemon",
				"any.runc.v2":                    "Unknown runtime specified", absolute: "Unknown runtime specified",
			},
		},
	} {
		t.Run(tt.engine, func(t *testing.T) {
			n := node.Bare(t, tt.engine)
			wrapped(t, n, n.Runtime())
			if tt.engine == "debian" {
				for _, name := range []string{"containerd-shim", "containerd-shim-runc-v1"} {
					if err := os.Symlink(filepath.Join(node.Cache(), "debian/usr/bin", name), filepath.Join(n.Bin, name)); err != nil {
						t.Fatal(err)
					}
				}
			}
			check := func(when string, names map[string]string) {
				t.Helper()
				for name, want := range names {
					flags := []string{"--security-opt", "seccomp=unconfined"}
					if name != "" {
						flags = append(flags, "--runtime", name)
					}
					out, err := dockerRun(n, flags, probeCalls...).CombinedOutput()
					got := string(out)
					if ran := strings.HasSuffix(want, "\n"); ran && (err != nil || !strings.HasSuffix(got, want)) ||
						!ran && (err == nil || !strings.Contains(got, want)) {
						t.Errorf("%s, --runtime %q: %v\n%swant\n%s", when, name, err, got, want)
					}
				}
			}
			stop := n.StartDocker(nil)
			output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
			check("before", tt.stock)
			nameable := func(want bool) {
				t.Helper()
				out, _ := n.Command("batten", "status", "--docker", n.DockerConfig()).Output() // a stock node is not safe
				const line = "docker: users can name runtimes that bypass Batten: io.containerd.runc.v"
				if got := strings.Contains(string(out), line); got != want {
					t.Errorf("batten status says that users can name runc: %v, want %v:\n%s", got, want, out)
				}
			}
			nameable(true)
			stop()
			before := read(t, n.DockerConfig())
			command := []string{"batten", "install", "--docker", "--all-runtimes", "--default", "--config", n.DockerConfig()}
			output(t, "install", n.Command(command...))
			again := append(command[:4:4], "--config", n.DockerConfig())
			for line := range strings.Lines(output(t, "install again", n.Command(again...))) {
				if !strings.Contains(line, ": nothing to change: ") {
					t.Errorf("installing again says %s", line)
				}
			}
			stop = n.Dockerd("PATH=" + unitPath(t, n))
			check("installed", tt.batten)
			nameable(false)
			if _, handlers, _ := nodeStatus(t, n, "--docker", n.DockerConfig()); slices.ContainsFunc(handlers, func(h install.Handler) bool {
				return h.Engine == "docker" && !h.Batten
			}) {
				t.Errorf("batten status has handlers that bypass Batten: %v", handlers)
			}
			stop()
			output(t, "uninstall", n.Command("batten", "uninstall", "--docker"))
			if after := read(t, n.DockerConfig()); !bytes.Equal(after, before) {
				t.Errorf("uninstalled, the configuration is\n%s\nand was\n%s", after, before)
			}
			for _, glob := range []string{"/etc/batten/shims", "/etc/batten/install", "/etc/systemd/system/*/batten.conf"} {
				if left, _ := filepath.Glob(n.Path(glob)); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
			}
			n.Dockerd()
			check("uninstalled", tt.stock)
		})
	}
}

// unitPath is the PATH that the drop-in gives to dockerd, with the node's own binaries.
func unitPath(t *testing.T, n *node.Node) string {
	t.Helper()
	text := string(read(t, n.Path("/etc/systemd/system/docker.service.d/batten.conf")))
	_, path, found := strings.Cut(text, "\n[Service]\nEnvironment=PATH="+shimsDir+":")
	if !found {
		t.Fatalf("the drop-in is\n%s", text)
	}
	return shimsDir + ":" + n.Bin + ":" + strings.TrimSpace(path)
}

// TestDockerGroup: a container of Docker's that names the group of a stock container in an
// annotation gets a shim of Batten's.
func TestDockerGroup(t *testing.T) {
	n := node.Bare(t, newest)
	wrapped(t, n, n.Runtime())
	n.StartDocker(node.DockerConfig{"runtimes": map[string]any{"batten": map[string]any{"runtimeType": node.Batten}}})
	output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
	holder := strings.TrimSpace(output(t, "holder", dockerRun(n, []string{"--detach", "--name", "holder", "--security-opt", "seccomp=unconfined"}, "/probe", "pause")))
	for runtime, want := range map[string]string{"runc": "0", "batten": "2"} {
		var created struct{ ID string }
		dockerAPI(t, n, "/containers/create?name="+runtime, map[string]any{
			"Image": "probe", "Cmd": []string{"/probe", "pause"},
			"HostConfig": map[string]any{
				"Runtime": runtime, "NetworkMode": "none", "SecurityOpt": []string{"seccomp=unconfined"},
				"Annotations": map[string]string{"io.containerd.runc.v2.group": holder},
			},
		}, &created)
		dockerAPI(t, n, "/containers/"+created.ID+"/start", nil, nil)
		var pid int
		if _, err := fmt.Sscan(output(t, "pid", n.Docker("inspect", "--format", "{{.State.Pid}}", runtime)), &pid); err != nil {
			t.Fatal(err)
		}
		n.WaitForExecOf(pid)
		if got, _ := node.Seccomp(pid); got != want {
			t.Errorf("%s: Seccomp: %s, want %s", runtime, got, want)
		}
	}
	output(t, "rm", n.Docker("rm", "--force", "runc", "batten", "holder"))
}

// dockerAPI posts to the Engine API: the client of Docker 20.10 knows no annotations.
func dockerAPI(t *testing.T, n *node.Node, path string, body, reply any) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", n.Path("/run/docker.sock"))
	}}}
	defer client.CloseIdleConnections()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Post("http://docker/v1.44"+path, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	if err == nil && reply != nil {
		err = json.Unmarshal(answer, reply)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
