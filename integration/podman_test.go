package integration

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// podman is a call of Podman with an OCI runtime, its default one if empty, and
// with storage of the node's own.
func podman(n *node.Node, runtime string, args ...string) *exec.Cmd {
	flags := []string{
		"podman", "--root", filepath.Join(n.Dir, "storage"), "--runroot", "/run/podman-root", "--tmpdir", "/run/podman-tmp",
		"--conmon", filepath.Join(n.Bin, "conmon"), "--cgroup-manager", "cgroupfs", "--events-backend", "file",
	}
	if runtime != "" {
		flags = append(flags, "--runtime", runtime)
	}
	return n.Command(append(flags, args...)...)
}

// podmanRun is `podman run`, within what the machine may do, in front of an
// image's name and command.
func podmanRun(n *node.Node, flags ...string) []string {
	return append([]string{
		"run", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
		"--cgroup-parent", "/" + filepath.Base(n.Dir), "--pull", "never",
	}, flags...)
}

// output is what a command writes to standard output.
func output(t *testing.T, what string, cmd *exec.Cmd) string {
	t.Helper()
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s%s", what, err, out, errors.String())
	}
	return string(out)
}

// TestPodman: what Podman starts unfiltered runs filtered through batten-runc,
// by either runtime behind it, and its own profile is kept.
func TestPodman(t *testing.T) {
	for _, runtime := range []string{"runc", "crun"} {
		t.Run(runtime, func(t *testing.T) {
			n := node.Bare(t, "debian")
			real := filepath.Join(n.Bin, runtime)
			wrapper := filepath.Join(n.Bin, "batten-runc")
			wrapped(t, n, real)
			output(t, "load", podman(n, real, "load", "-i", node.ImageArchive(t)))
			for _, tt := range []struct {
				name          string
				flags         []string
				stock, batten string
			}{
				{
					name: "unconfined", flags: []string{"--security-opt", "seccomp=unconfined"},
					stock: unfiltered, batten: filtered,
				},
				{
					name: "privileged", flags: []string{"--privileged"}, stock: unfiltered,
					batten: filteredAdmin,
				},
			} {
				run := append(podmanRun(n, append(tt.flags, "--rm")...), imageOf(n, real, t))
				if out := output(t, tt.name, podman(n, real, append(run, probeCalls...)...)); out != tt.stock {
					t.Errorf("%s, stock: wrote\n%swant\n%s", tt.name, out, tt.stock)
				}
				if out := output(t, tt.name, podman(n, wrapper, append(run, probeCalls...)...)); out != tt.batten {
					t.Errorf("%s: wrote\n%swant\n%s", tt.name, out, tt.batten)
				}
			}
			checkPodmanLife(t, n, real, wrapper)
		})
	}
}

func imageOf(n *node.Node, runtime string, t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(output(t, "images", podman(n, runtime, "images", "--quiet", "--no-trunc")))
}

// checkPodmanLife: an exec is filtered, too; the record is there while the
// container is; a refusal says why on standard error.
func checkPodmanLife(t *testing.T, n *node.Node, real, wrapper string) {
	image := imageOf(n, real, t)
	run := append(podmanRun(n, "--security-opt", "seccomp=unconfined", "-d", "--name", "life"), image)
	output(t, "run -d", podman(n, wrapper, append(run, "/probe", "pause")...))
	if out := output(t, "exec", podman(n, wrapper, append([]string{"exec", "life"}, probeCalls...)...)); out != filtered {
		t.Errorf("an exec wrote\n%swant\n%s", out, filtered)
	}
	n.Eventually(5e9, "the attestation", func() error {
		if table := output(t, "records", n.Command("batten", "records")); !strings.Contains(table, "Filtered (1)") {
			return fmt.Errorf("%s", table)
		}
		return nil
	})
	if out := output(t, "verify", n.Command("batten", "verify")); !strings.Contains(out, ": proved, 1 filter as strict as its record and today's policy") {
		t.Errorf("batten verify: %s", out)
	}
	if all, _, safe := nodeStatus(t, n); !safe || len(all) != 1 {
		t.Errorf("batten status: safe %v with %v", safe, all)
	}
	run = append(podmanRun(n, "--security-opt", "seccomp=unconfined", "-d", "--name", "stock"), image)
	output(t, "run -d", podman(n, real, append(run, "/probe", "pause")...))
	if all, _, safe := nodeStatus(t, n); safe || len(all) != 2 {
		t.Errorf("batten status beside a stock container: safe %v with %v", safe, all)
	} else {
		wantCalled(t, n, all, map[string]string{"life": image, "stock": image})
	}
	output(t, "rm", podman(n, wrapper, "rm", "-f", "-t", "0", "life", "stock"))
	if left, _ := filepath.Glob(n.Path("/run/batten/@*/*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}

	setPolicy(t, n, "version: 1\nrules: [{name: no podman, match: {runtime: [batten-runc]}, absent: Deny}]\n")
	refusal := `rule "no podman" says absent: Deny (policy "/etc/batten/policy.yaml")`
	out, err := podman(n, wrapper, append(append(podmanRun(n, "--rm", "--security-opt", "seccomp=unconfined"), image), probeCalls...)...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), refusal) {
		t.Errorf("refused: %v: %s\nwant %s", err, out, refusal)
	}
	// Beside it, one that brings a filter of its own: Podman's default.
	if out := output(t, "allowed", podman(n, wrapper, append(append(podmanRun(n, "--rm"), image), "/probe", "call", "getpid", "bpf")...)); out != calls("getpid", "OK", "bpf", "EPERM") {
		t.Errorf("allowed: wrote\n%s", out)
	}
	wantAsks(t, n, func() string {
		return output(t, "default", podman(n, wrapper, append(append(podmanRun(n, "--rm"), image), "/probe", "call", "getpid")...))
	}, func() string {
		flags := podmanRun(n, "--rm", "--security-opt", "seccomp="+profileFile(t, n))
		return output(t, "own", podman(n, wrapper, append(append(flags, image), "/probe", "call", "getpid")...))
	})
}

// TestBuildah: what Buildah runs through an OCI runtime is filtered, too. Chroot
// isolation uses no runtime, and goes round Batten.
func TestBuildah(t *testing.T) {
	n := node.Bare(t, "debian")
	wrapped(t, n, filepath.Join(n.Bin, "crun"))
	buildah := func(args ...string) *exec.Cmd {
		return n.Command(append([]string{"buildah", "--root", filepath.Join(n.Dir, "storage"), "--runroot", "/run/buildah"}, args...)...)
	}
	output(t, "from", buildah("from", "--name", "work", "--security-opt", "seccomp=unconfined", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
		"--cgroup-parent", "/"+filepath.Base(n.Dir), "oci-archive:"+node.ImageArchive(t)))
	run := func(flags ...string) *exec.Cmd {
		return buildah(append(append([]string{"run"}, append(flags, "work", "--")...), probeCalls...)...)
	}
	wrapper := []string{"--network", "none", "--isolation", "oci", "--runtime", filepath.Join(n.Bin, "batten-runc")}
	if out := output(t, "stock", run("--network", "none", "--isolation", "oci", "--runtime", filepath.Join(n.Bin, "crun"))); out != unfiltered {
		t.Errorf("stock: wrote\n%swant\n%s", out, unfiltered)
	}
	if out := output(t, "wrapped", run(wrapper...)); out != filtered {
		t.Errorf("wrote\n%swant\n%s", out, filtered)
	}
	setPolicy(t, n, "version: 1\nrules: [{name: no builds, match: {runtime: [batten-runc]}, absent: Deny}]\n")
	refusal := `rule "no builds" says absent: Deny (policy "/etc/batten/policy.yaml")`
	if out, err := run(wrapper...).CombinedOutput(); err == nil || !strings.Contains(string(out), refusal) {
		t.Errorf("refused: %v: %s\nwant %s", err, out, refusal)
	}
	if out := output(t, "chroot", run("--isolation", "chroot", "--network", "host")); !strings.Contains(out, calls("keyctl", "OK", "add_key", "OK")) {
		t.Errorf("chroot isolation: wrote\n%swant keyctl and add_key let through", out)
	}
}
