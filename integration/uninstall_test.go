package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// uninstallRefuses checks that batten uninstall names containers and changes nothing.
func uninstallRefuses(t *testing.T, n *node.Node, engine, file, want string) {
	t.Helper()
	before := read(t, n.Path(file))
	out, err := n.Command("batten", "uninstall", "--"+engine).CombinedOutput()
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("uninstall: %v: %s\nwant %s", err, out, want)
	}
	if after := read(t, n.Path(file)); string(after) != string(before) {
		t.Errorf("%s was changed to %s", file, after)
	}
}

// TestUninstallDocker: a container that was made under Batten does not start any more
// without it, so uninstall names it and goes on with --force only. Beside it, one that was
// made under runc counts for nothing.
func TestUninstallDocker(t *testing.T) {
	for _, engine := range []string{"debian", newest} {
		t.Run(engine, func(t *testing.T) {
			n := node.Bare(t, engine)
			wrapped(t, n, n.Runtime())
			stop := n.StartDocker(nil)
			output(t, "install", n.Command("batten", "install", "--docker", "--default", "--config", n.DockerConfig()))
			stop()
			stop = n.Dockerd()
			output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
			create := func(name string, flags ...string) {
				t.Helper()
				output(t, name, n.Docker(append(append([]string{"create", "--network", "none", "--name", name}, flags...), "probe", "/probe", "pause")...))
			}
			create("plain", "--runtime", "runc")
			create("kept")
			uninstallRefuses(t, n, "docker", n.DockerConfig(),
				"docker: 1 container made under the runtime batten, without which docker does not start them: kept\n")
			out := output(t, "uninstall", n.Command("batten", "uninstall", "--docker", "--force"))
			for _, want := range []string{
				"note: docker does not start these containers any more, remove them: kept\n",
				"note: restart dockerd for it to take effect: until then containers start as before\n",
			} {
				if !strings.Contains(out, want) {
					t.Errorf("uninstall says\n%swant\n%s", out, want)
				}
			}
			stop()
			n.Dockerd()
			if out, err := n.Docker("start", "kept").CombinedOutput(); err == nil || !strings.Contains(string(out), "nknown") {
				t.Errorf("it starts without its runtime: %v: %s", err, out)
			}
			output(t, "start", n.Docker("start", "plain"))
			output(t, "rm", n.Docker("rm", "--force", "plain", "kept"))
			if out := output(t, "again", n.Command("batten", "uninstall", "--docker")); out != "docker: nothing to change: Batten is not installed\n" {
				t.Errorf("uninstalling again says %s", out)
			}
		})
	}
}

// TestUninstallPodman: the same of Podman, whose ps complains of containers when their runtime is
// not there. Installing keeps crun where Podman used crun.
func TestUninstallPodman(t *testing.T) {
	n := node.Bare(t, "debian")
	crun := filepath.Join(n.Bin, "crun")
	own := "[engine.runtimes]\ncrun = [\"" + crun + "\"]\n"
	output(t, "containers.conf", n.Command("sh", "-c", "printf '%s' '"+own+"' >/etc/containers/containers.conf.d/01-crun.conf"))
	output(t, "load", podman(n, "crun", "load", "-i", node.ImageArchive(t)))
	image := imageOf(n, "crun", t)
	create := func(name string) {
		t.Helper()
		run := append([]string{"create"}, podmanRun(n, "--name", name)[1:]...)
		output(t, name, podman(n, "", append(run, image, "/probe", "pause")...))
	}
	create("plain")
	out := output(t, "install", n.Command("batten", "install", "--podman", "--default"))
	for _, want := range []string{"note: batten-runc hands over to " + crun + ", which Podman used before\n", "note: existing containers keep the runtime that they were made with\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("install says\n%swant\n%s", out, want)
		}
	}
	if text := string(read(t, n.Path("/etc/batten/runc.toml"))); !strings.Contains(text, "Runtime = \""+crun+"\"\n") {
		t.Errorf("runc.toml is\n%s", text)
	}
	if out := output(t, "install again", n.Command("batten", "install", "--podman")); !strings.HasPrefix(out, "podman: nothing to change: ") {
		t.Errorf("installing again says %s", out)
	}
	run := append(append(podmanRun(n, "--rm", "--security-opt", "seccomp=unconfined"), image), probeCalls...)
	if out := output(t, "run", podman(n, "", run...)); out != filtered {
		t.Errorf("wrote\n%swant\n%s", out, filtered)
	}
	create("kept")
	uninstallRefuses(t, n, "podman", "/etc/containers/containers.conf.d/batten.conf",
		"podman: 1 container made under the runtime batten-runc, without which podman does not start them: kept\n")
	output(t, "rm", podman(n, "", "rm", "kept"))
	output(t, "uninstall", n.Command("batten", "uninstall", "--podman"))
	for _, left := range []string{"/etc/batten/runc.toml", "/etc/batten/install", "/etc/containers/containers.conf.d/batten.conf"} {
		if _, err := os.Lstat(n.Path(left)); err == nil {
			t.Errorf("left behind: %s", left)
		}
	}
	if out := output(t, "ps", podman(n, "", "ps", "--all", "--format", "{{.Names}}")); strings.TrimSpace(out) != "plain" {
		t.Errorf("podman ps: %s", out)
	}
	output(t, "rm", podman(n, "", "rm", "plain"))
	if out := output(t, "again", n.Command("batten", "uninstall", "--podman")); out != "podman: nothing to change: Batten is not installed\n" {
		t.Errorf("uninstalling again says %s", out)
	}
}
