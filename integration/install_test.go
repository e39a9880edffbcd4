package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestInstallContainerd: after batten install and a restart of the daemon a pod
// that names no handler is filtered; after batten uninstall it is not, and the
// configuration is the same byte for byte.
func TestInstallContainerd(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		wrapped(t, n, n.Runtime())
		before := read(t, n.Config())
		mode := func(handler, want string) {
			t.Helper()
			pod, err := n.RunPod(handler, "default", "installed", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer pod.Remove()
			if got, _ := pod.Seccomp(""); got != want {
				t.Errorf("handler %q: Seccomp: %s, want %s", handler, got, want)
			}
		}
		mode("", "0")
		install := []string{"batten", "install", "--containerd", "--config", n.Config(), "--default"}
		if out := output(t, "dry run", n.Command(append(install, "--dry-run")...)); !strings.Contains(out, `+  default_runtime_name = "batten"`) && !strings.Contains(out, `+default_runtime_name = "batten"`) {
			t.Errorf("the dry run says\n%s", out)
		}
		if after := read(t, n.Config()); !bytes.Equal(after, before) {
			t.Errorf("the dry run changed it:\n%s", after)
		}
		output(t, "install", n.Command(install...))
		installed := read(t, n.Config())
		again := slices.Clip(install[:len(install)-1]) // without --default
		if out := output(t, "install again", n.Command(again...)); out != "containerd: nothing to change: "+n.Config()+"\n" {
			t.Errorf("installing again says\n%s", out)
		}
		if after := read(t, n.Config()); !bytes.Equal(after, installed) {
			t.Errorf("installing again made of it\n%s", after)
		}
		output(t, "no default", n.Command(append(again, "--no-default")...))
		n.Reload()
		mode("", "0")
		mode("batten", "2")
		output(t, "install", n.Command(install...))
		n.Reload()
		mode("", "2")
		mode("batten", "2")
		mode("runc", "0")
		output(t, "uninstall", n.Command("batten", "uninstall", "--containerd"))
		if out := output(t, "uninstall again", n.Command("batten", "uninstall", "--containerd")); out != "containerd: nothing to change: Batten is not installed\n" {
			t.Errorf("uninstalling again says\n%s", out)
		}
		if after := read(t, n.Config()); !bytes.Equal(after, before) {
			t.Errorf("uninstalled, it is\n%s\nand was\n%s", after, before)
		}
		n.Reload()
		mode("", "0")
	})
}

// TestInstallRoot: with --root all is the host's, its policy too.
func TestInstallRoot(t *testing.T) {
	n := node.Start(t, newest)
	wrapped(t, n, n.Runtime())
	host, broken := filepath.Join(n.Dir, "host"), filepath.Join(n.Dir, "broken")
	writeFile(t, filepath.Join(broken, "policy.yaml"), "version: 1\nnonsense: 1\n")
	output(t, "a host", n.Command("sh", "-c", "mkdir "+host+" && mount --rbind / "+host))
	install := []string{"batten", "install", "--containerd", "--config", n.Config(), "--dry-run"}
	want := output(t, "without --root", n.Command(install...))
	install = append(install, "--root", host)
	if out := output(t, "with --root", n.Command(install...)); out != want || !strings.Contains(out, "batten") {
		t.Errorf("with --root it says\n%s\nwithout\n%s", out, want)
	}
	output(t, "another policy", n.Command("mount", "--bind", broken, filepath.Join(host, "etc/batten")))
	if out, err := n.Command(install...).CombinedOutput(); err == nil || !strings.Contains(string(out), "with such a policy no container would start") {
		t.Errorf("by the host's broken policy (%v):\n%s", err, out)
	}
	install[len(install)-1] = filepath.Join(n.Dir, "nowhere")
	if out, err := n.Command(install...).CombinedOutput(); err == nil || !strings.Contains(string(out), "no such file or directory\nhint: --root takes root, and a directory") {
		t.Errorf("without such a directory (%v):\n%s", err, out)
	}
	output(t, "no host", n.Command("umount", "-l", host))
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestInstallConfigurations: each daemon's own default configuration and awkward
// ones are changed in a way that the daemon itself understands, nothing that it
// made of them before is lost, and they come back.
func TestInstallConfigurations(t *testing.T) {
	awkward, err := filepath.Glob("testdata/containerd/*.toml")
	if err != nil || len(awkward) != 5 {
		t.Fatalf("%d awkward configurations, want 5 (%v)", len(awkward), err)
	}
	for _, engine := range all {
		t.Run(engine, func(t *testing.T) {
			n := node.Bare(t, engine)
			wrapped(t, n, n.Runtime())
			own, err := node.Containerd(engine, "config", "default").Output()
			if err != nil {
				t.Fatal(err)
			}
			checkInstalled(t, n, "its default", string(own))
			for _, path := range awkward {
				checkInstalled(t, n, filepath.Base(path), string(read(t, path)))
			}
		})
	}
}

func checkInstalled(t *testing.T, n *node.Node, name, text string) {
	t.Helper()
	dir := filepath.Join(n.Dir, "etc-containerd")
	config := filepath.Join(dir, "config.toml")
	writeFile(t, config, strings.ReplaceAll(text, "/etc/containerd", dir))
	writeFile(t, filepath.Join(dir, "certs.d/20-imported.toml"), "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  default_runtime_name = \"imported\"\n"+
		"  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.imported]\n    runtime_type = \"io.containerd.runc.v2\"\n    [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.imported.options]\n      SystemdCgroup = true\n")
	tree := func() string { return output(t, "tree", n.Command("sh", "-c", "cat "+config+" "+dir+"/certs.d/*")) }
	dump := func() string { return output(t, name, n.Command("containerd", "--config", config, "config", "dump")) }
	files, before := tree(), dump()
	install := n.Command("batten", "install", "--containerd", "--config", config, "--default")
	if binary := regexp.MustCompile(`BinaryName = "(/.*)"`).FindStringSubmatch(before); n.Engine.Name == "debian" && binary != nil {
		out, err := install.CombinedOutput()
		if want := fmt.Sprintf("write Runtime = %q into /etc/batten/runc.toml first", binary[1]); err == nil || !strings.Contains(string(out), want) || tree() != files {
			t.Errorf("%s: %v: %s\nwant %s", name, err, out, want)
		}
		return
	}
	output(t, name+": install", install)
	after := dump()
	if !strings.Contains(after, "containerd-shim-batten-v2") && !strings.Contains(after, "batten-runc") || strings.Contains(before, "SystemdCgroup = true") && strings.Count(after, "SystemdCgroup = true") <= strings.Count(before, "SystemdCgroup = true") {
		t.Errorf("%s: containerd makes of it\n%s", name, after)
	}
	zero := regexp.MustCompile(`= (""|0|false)$|sandbox_mode = "podsandbox"|default_runtime_name|^imports = `)
	had := map[string]int{}
	for _, line := range strings.Split(after, "\n") {
		had[line]++
	}
	for _, line := range strings.Split(before, "\n") {
		if had[line]--; had[line] < 0 && !zero.MatchString(line) {
			t.Errorf("%s: containerd no longer says %q", name, line)
		}
	}
	output(t, name+": uninstall", n.Command("batten", "uninstall", "--containerd"))
	if got := tree(); got != files {
		t.Errorf("%s: uninstalled, the files are\n%s\nand were\n%s", name, got, files)
	}
}

// TestInstallDocker: after batten install and a restart of dockerd what Docker
// starts without a filter has one; after batten uninstall not any more.
func TestInstallDocker(t *testing.T) {
	for _, engine := range []string{"debian", newest} {
		t.Run(engine, func(t *testing.T) {
			n := node.Bare(t, engine)
			wrapped(t, n, n.Runtime())
			stop := n.StartDocker(nil)
			output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
			unconfined := []string{"--security-opt", "seccomp=unconfined"}
			expect := func(want string) {
				t.Helper()
				if out := output(t, "run", dockerRun(n, unconfined, probeCalls...)); out != want {
					t.Errorf("wrote\n%swant\n%s", out, want)
				}
			}
			expect(unfiltered)
			stop()
			before := read(t, n.DockerConfig())
			output(t, "install", n.Command("batten", "install", "--docker", "--default", "--config", n.DockerConfig()))
			stop = n.Dockerd()
			expect(filtered)
			stop()
			output(t, "uninstall", n.Command("batten", "uninstall", "--docker"))
			if after := read(t, n.DockerConfig()); !bytes.Equal(after, before) {
				t.Errorf("uninstalled, it is\n%s\nand was\n%s", after, before)
			}
			n.Dockerd()
			expect(unfiltered)
		})
	}
}

// TestInstallPodman: the same of Podman, and of Buildah, which reads the same file.
func TestInstallPodman(t *testing.T) {
	n := node.Bare(t, "debian")
	wrapped(t, n, filepath.Join(n.Bin, "crun"))
	own := "[engine.runtimes]\ncrun = [\"" + filepath.Join(n.Bin, "crun") + "\"]\n"
	output(t, "containers.conf", n.Command("sh", "-c", "mkdir -p /etc/containers/containers.conf.d && printf '%s' '"+own+"' >/etc/containers/containers.conf.d/00-crun.conf"))
	output(t, "load", podman(n, "crun", "load", "-i", node.ImageArchive(t)))
	image := imageOf(n, "crun", t)
	expect := func(want string) {
		t.Helper()
		cmd := podman(n, "", append(append(podmanRun(n, "--rm", "--security-opt", "seccomp=unconfined"), image), probeCalls...)...)
		if out := output(t, "run", cmd); out != want {
			t.Errorf("wrote\n%swant\n%s", out, want)
		}
	}
	expect(unfiltered)
	output(t, "install", n.Command("batten", "install", "--podman", "--default"))
	expect(filtered)
	checkPodmanMissing(t, n, image)
	output(t, "uninstall", n.Command("batten", "uninstall", "--podman"))
	expect(unfiltered)
}

// checkPodmanMissing: where batten-runc is missing, Podman starts no container and runs no
// other program. Under the name batten it ran the command batten.
func checkPodmanMissing(t *testing.T, n *node.Node, image string) {
	t.Helper()
	conf, link := n.Path("/etc/containers/containers.conf.d/batten.conf"), filepath.Join(n.Bin, "batten-runc")
	installed := read(t, conf)
	if err := os.Rename(link, link+".away"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, want string }{
		{name: "batten-runc", want: `default OCI runtime "batten-runc" not found: invalid argument`},
		{name: "batten", want: `batten: unknown command "create"`},
	} {
		writeFile(t, conf, "[engine]\nruntime = \""+tt.name+"\"\n[engine.runtimes]\n"+tt.name+" = [\"/nowhere/batten-runc\"]\n")
		cmd := podman(n, "", append(append(podmanRun(n, "--rm", "--security-opt", "seccomp=unconfined"), image), probeCalls...)...)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("runtime %s: %v: %s\nwant %s", tt.name, err, out, tt.want)
		}
	}
	writeFile(t, conf, string(installed))
	if err := os.Rename(link+".away", link); err != nil {
		t.Fatal(err)
	}
}
