package observe

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
)

// wrapperEngines are the engines that call batten-runc. Each starts a node and returns how a job
// is run there.
var wrapperEngines = map[string]func(t *testing.T) (*node.Node, func(args ...string) string){
	"containerd 1.6": func(t *testing.T) (*node.Node, func(args ...string) string) {
		n := node.Start(t, "debian")
		settle(t, n)
		opts := &options.Options{BinaryName: filepath.Join(n.Bin, "batten-runc")}
		return n, func(args ...string) string { return n.Output(node.Run{Runtime: node.Stock, Options: opts, Args: args}) }
	},
	"Podman": func(t *testing.T) (*node.Node, func(args ...string) string) {
		n := node.Bare(t, "debian")
		settle(t, n)
		said(t, podman(n, "load", "-i", node.ImageArchive(t)))
		image := strings.TrimSpace(said(t, podman(n, "images", "--quiet", "--no-trunc")))
		return n, func(args ...string) string {
			return said(t, podman(n, append([]string{
				"run", "--rm", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
				"--cgroup-parent", "/" + filepath.Base(n.Dir), "--pull", "never", "--security-opt", "seccomp=unconfined", image,
			}, args...)...))
		}
	},
	"Docker 20.10": docker("debian"),
	"Docker 29":    docker("containerd-2.4"),
}

// docker starts Docker, whose default runtime is batten-runc.
func docker(engine string) func(t *testing.T) (*node.Node, func(args ...string) string) {
	return func(t *testing.T) (*node.Node, func(args ...string) string) {
		n := node.Bare(t, engine)
		settle(t, n)
		n.StartDocker(node.DockerConfig{
			"runtimes":        map[string]any{"batten": map[string]any{"path": filepath.Join(n.Bin, "batten-runc")}},
			"default-runtime": "batten",
		})
		said(t, n.Docker("import", node.Rootfs(t), "probe"))
		return n, func(args ...string) string {
			return said(t, n.Docker(append([]string{"run", "--rm", "--network", "none", "--security-opt", "seccomp=unconfined", "probe"}, args...)...))
		}
	}
}

// settle writes the settings of batten-runc.
func settle(t *testing.T, n *node.Node) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(n.Etc, "runc.toml"), fmt.Appendf(nil, "Runtime = %q\n", n.Runtime()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func podman(n *node.Node, args ...string) *exec.Cmd {
	return n.Command(append([]string{
		"podman", "--root", filepath.Join(n.Dir, "storage"), "--runroot", "/run/podman-root", "--tmpdir", "/run/podman-tmp",
		"--conmon", filepath.Join(n.Bin, "conmon"), "--cgroup-manager", "cgroupfs", "--events-backend", "file",
		"--runtime", filepath.Join(n.Bin, "batten-runc"),
	}, args...)...)
}

// said is what a command writes to standard output.
func said(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v: %s%s", cmd.Args, err, out, errors.String())
	}
	return string(out)
}

// TestWrapperEngines: whatever engine calls batten-runc, what a job is denied, or would be, is
// in the policy's log; being seen changes nothing that it writes; nothing is left of it.
func TestWrapperEngines(t *testing.T) {
	for name, start := range wrapperEngines {
		t.Run(name, func(t *testing.T) {
			n, run := start(t)
			log := filepath.Join(n.Dir, "denials.jsonl")
			written := make(map[string]string)
			for policy, want := range map[string][]string{"silent": nil, "counted": denied, "audited": would(denied), "audit silent": nil} {
				setPolicy(t, n, policies[policy]+"log: "+log+"\n")
				written[policy] = run(calls...)
				wantListeners(n, 0)
				if seen := lines(t, log); !slices.Equal(seen, want) {
					t.Errorf("%s, seen\n%s\nwant\n%s", policy, strings.Join(seen, "\n"), strings.Join(want, "\n"))
				}
			}
			for seen, unseen := range map[string]string{"counted": "silent", "audited": "audit silent"} {
				if written[seen] != written[unseen] {
					t.Errorf("%s, it wrote\n%s%s\n%s", seen, written[seen], unseen, written[unseen])
				}
			}
			n.Eventually(5e9, "the end of the last container", func() error { return noListener(n) })
		})
	}
}

// TestWrapperDockerRestart: a listener goes on while dockerd restarts, and ends with its
// container.
func TestWrapperDockerRestart(t *testing.T) {
	for _, engine := range []string{"debian", "containerd-2.4"} {
		t.Run(engine, func(t *testing.T) {
			n := node.Bare(t, engine)
			settle(t, n)
			setPolicy(t, n, policies["counted"])
			stop := n.StartDocker(node.DockerConfig{
				"runtimes":        map[string]any{"batten": map[string]any{"path": filepath.Join(n.Bin, "batten-runc")}},
				"default-runtime": "batten", "live-restore": true,
			})
			said(t, n.Docker("import", node.Rootfs(t), "probe"))
			said(t, n.Docker("run", "--detach", "--name", "life", "--network", "none", "--security-opt", "seccomp=unconfined", "probe", "/probe", "pause"))
			exec := func() {
				t.Helper()
				if out := said(t, n.Docker("exec", "life", "/probe", "call", "keyctl")); out != "keyctl: EPERM\n" {
					t.Errorf("an exec wrote %s", out)
				}
			}
			exec()
			before := wantListeners(n, 1)
			stop()
			n.Dockerd()
			exec()
			wantCounts(t, n, "keyctl 2")
			if after := listeners(n); !slices.Equal(before, after) {
				t.Errorf("the listeners were %v and are %v", before, after)
			}
			said(t, n.Docker("rm", "--force", "life"))
			n.Eventually(5e9, "the end of the container", func() error { return noListener(n) })
		})
	}
}
