package machines

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestDebianEngines runs Debian's containerd with systemd's cgroups, its Docker, Podman and
// Buildah, programs of other ABIs and AppArmor on a Debian 12, and has it started again.
func TestDebianEngines(t *testing.T) {
	m := debian12more(t, "")
	files := moreFiles(t)
	play(t, m, []step{
		{command: box, says: []string{"sha256:", "sha256:"}},
		{command: inDocker("--privileged"), says: []string{"Seccomp:\t0"}},
		{command: inPodman("--privileged"), says: []string{"Seccomp:\t0"}},
		{command: inBuildah, says: []string{"Seccomp:\t0"}},
		{command: "printf '" + strings.ReplaceAll(systemdCgroup, "\n", `\n`) + "' >>/etc/containerd/config.toml"},
		{command: "dpkg -i batten_0.0.1_amd64.deb"},
		{command: "batten install --containerd --docker --podman --default", says: []string{"containerd: installed", "docker: installed", "podman: installed"}},
		{command: "systemctl restart containerd docker && systemctl is-active containerd docker", says: []string{"active", "active"}},
		{command: inDocker("--privileged"), says: []string{"Seccomp:\t2"}},
		{command: inDocker("--security-opt seccomp=unconfined"), says: []string{"Seccomp:\t2"}},
		{command: inPodman("--privileged"), says: []string{"Seccomp:\t2"}},
		{command: inPodman("--security-opt seccomp=unconfined"), says: []string{"Seccomp:\t2"}},
		{command: inBuildah, says: []string{"Seccomp:\t2"}},
		{command: inSlice + "--privileged --keep sleep 100000"},
		{command: "find /sys/fs/cgroup -name '*cri-containerd*.scope'", says: []string{"cri-containerd-"}},
		{command: inSlice + "cat /proc/self/attr/current", says: []string{"cri-containerd.apparmor.d (enforce)"}},
		{command: "docker run -d --name again --restart always --network none --privileged box /bin/sleep 100000"},
		{command: "batten records", says: []string{"default/privileged", "again"}},
		{command: "batten verify", says: []string{"proved"}, never: "below"},
		{command: "systemctl reboot"},
	}, files)
	play(t, m, []step{
		{command: "until docker inspect -f '{{.State.Running}}' again | grep -q true; do sleep 1; done; docker exec again /bin/grep Seccomp: /proc/self/status", says: []string{"Seccomp:\t2"}},
		{command: "grep Seccomp: /proc/$(docker inspect -f '{{.State.Pid}}' again)/status", says: []string{"Seccomp:\t2"}},
		{command: "cat /run/batten/abis.json", says: []string{`"x32":true`}},
		{command: calls("auto", "i386_getpid"), says: []string{"i386_getpid: OK"}},
		{command: calls("auto", "x32_getpid"), says: []string{"x32_getpid: OK"}},
		{command: calls("as-written", "x32_getpid"), says: []string{"x32_getpid: OK"}},
		{command: calls("native", "i386_getpid"), status: 159, never: "OK"},
		{command: calls("native", "x32_getpid"), says: []string{"x32_getpid: EINTR"}},
		{command: calls("native", "getpid"), says: []string{"getpid: OK"}},
		{command: "dpkg -i batten_0.0.2_amd64.deb && batten version", says: []string{"Unpacking batten (0.0.2) over (0.0.1)", "0.0.2"}},
		{command: "docker exec again /bin/grep Seccomp: /proc/self/status && " + inSlice + "--privileged grep Seccomp: /proc/self/status", says: []string{"Seccomp:\t2", "Seccomp:\t2"}},
		{command: "docker rm -f again && batten uninstall --containerd --docker --podman --restart", says: []string{"containerd: uninstalled", "docker: uninstalled", "podman: uninstalled"}},
		{command: "dpkg -P batten && " + inSlice + "--privileged grep Seccomp: /proc/self/status", says: []string{"Seccomp:\t0"}},
	}, files)
}

// TestKernels runs containers on the kernels of the Debian before and of the one after.
func TestKernels(t *testing.T) {
	files := moreFiles(t)
	for release, version := range map[string]string{"bullseye": "5.10.", "trixie": "6.12."} {
		t.Run(release, func(t *testing.T) {
			play(t, debian12more(t, release), []step{
				{command: "uname -r", says: []string{version}},
				{command: "pod --privileged grep Seccomp: /proc/self/status", says: []string{"Seccomp:\t0"}},
				{command: "dpkg -i batten_0.0.1_amd64.deb && batten install --containerd --default --restart", says: []string{"installed"}},
				{command: "pod --privileged grep Seccomp: /proc/self/status", says: []string{"Seccomp:\t2"}},
				{command: "pod grep Seccomp: /proc/self/status", says: []string{"Seccomp:\t2"}},
				{command: "pod --privileged --keep sleep 100000"},
				{command: "batten verify", says: []string{"proved", "proved"}},
				{command: "batten status", status: 1, says: []string{"containerd  batten   yes      yes", "docker's default, runc, bypasses Batten"}, never: "NOT SAFE: containerd"},
				{command: "batten block --running --name no-sysinfo sysinfo", says: []string{"closed while it runs: default/privileged"}},
				{command: "batten verify", says: []string{"proved"}},
				{command: "batten unblock no-sysinfo"},
				{command: "printf 'version: 1\\ndenials: Count\\n' >/etc/batten/policy.yaml; pod --name default/denied --keep sh -c '/bin/probe call keyctl; exec sleep 1000'; sleep 3; batten denials", says: []string{"default/denied", "keyctl"}},
				{command: "batten record --to /root/recorded.json -- /bin/true && batten prove --floor RuntimeDefault /root/recorded.json", says: []string{"proved"}},
			}, files)
		})
	}
}

// box makes an image for Docker and for Podman.
const box = `mkdir -p /root/box/bin && cp /bin/busybox /run/in/probe /root/box/bin/ && for name in grep sleep; do ln -s busybox /root/box/bin/$name; done && ` +
	`tar -C /root/box -c . | docker import - box && tar -C /root/box -c . | podman import - box`

const run = "ctr -n k8s.io run --rm --runtime io.containerd.batten.v2 example.org/busybox:1 "

func inDocker(flags string) string {
	return "docker run --rm --network none " + flags + " box /bin/grep Seccomp: /proc/self/status"
}

func inPodman(flags string) string {
	return "podman run --rm --network none " + flags + " box /bin/grep Seccomp: /proc/self/status"
}

// inBuildah is a RUN step of a build whose author asks for no filter.
const inBuildah = `printf 'FROM box\nRUN ["/bin/grep", "Seccomp:", "/proc/self/status"]\n' >/root/box/Containerfile && ` +
	`buildah build --isolation oci --network none --security-opt seccomp=unconfined /root/box`

// calls has a container make a call under a policy's architectures.
func calls(architectures, call string) string {
	return `printf 'version: 1\narchitectures: ` + architectures + `\n' >/etc/batten/policy.yaml; ` + run + call + " /bin/probe call " + call
}

// inSlice is pod where cgroups are systemd's.
const inSlice = "pod --cgroup-parent machine.slice "

// systemdCgroup is for the end of Debian's configuration of containerd.
const systemdCgroup = `[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    SystemdCgroup = true
`

// moreFiles are what the machines of this file are brought.
func moreFiles(t *testing.T) map[string][]byte {
	t.Helper()
	const goarch = "amd64"
	node.ImageArchive(t) // which builds the probe
	probe := read(t, filepath.Join(node.Cache(), "image", "probe"))
	files := map[string][]byte{
		"pod": program(t, goarch, "./pod"), "probe": probe,
		"busybox.image": busybox(t, goarch, "example.org/busybox:1", map[string][]byte{"probe": probe}),
		"pause.image":   busybox(t, goarch, "registry.k8s.io/pause:3.6", nil, "sleep", "1000000"),
	}
	for _, version := range []string{"0.0.1", "0.0.2"} {
		path := debianPackage(t, goarch, version)
		files[filepath.Base(path)] = read(t, path)
	}
	return files
}
