package node

import "path/filepath"

// debianTools are Debian's engines, besides containerd's, as their packages name
// them below /usr.
var debianTools = []string{"bin/podman", "bin/conmon", "bin/crun", "bin/buildah", "bin/docker", "bin/docker-proxy"}

// bareSetUp runs once in the mount namespace of a bare node: the libraries that
// were unpacked beside the engines are found by whatever these start. crun refuses
// hybrid cgroups, so it sees none of the unified mount. Podman keeps what it has in the
// node's directory.
const bareSetUp = `set -e
umount /sys/fs/cgroup/unified 2>/dev/null || true
mkdir -p /etc/containers
cp -r "$0/etc/containers/." /etc/containers/
mount -t tmpfs tmpfs /var/cache/ldconfig
printf '%s\n' "$0/usr/lib/x86_64-linux-gnu" "$0/lib/x86_64-linux-gnu" >/etc/ld.so.conf.d/engines.conf
ldconfig
mkdir -p /etc/containers/containers.conf.d
printf '[storage]\ngraphroot = "%s/storage"\nrunroot = "/run/podman-root"\n' "$1" >/etc/containers/storage.conf
printf '[engine]\ntmp_dir = "/run/podman-tmp"\nconmon_path = ["%s/bin/conmon"]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' \
  "$1" >/etc/containers/containers.conf.d/00-node.conf`

// Bare starts a node without a daemon, for engines that have none or their own:
// a mount namespace in which Podman, Buildah, the Docker client and an engine's
// containerd and runc are found. What runs in it ends with the test.
func Bare(t T, engine string) *Node {
	t.Helper()
	Need(t, engine)
	n := &Node{t: t, Engine: engines[engine]}
	n.makeDir()
	t.Cleanup(n.end)
	for _, name := range []string{"batten", "batten-runc", "batten-runc-crio", "containerd-shim-batten-v2"} {
		n.link(name, filepath.Join(filepath.Dir(Shim(t)), name))
	}
	for _, tool := range debianTools {
		n.link(filepath.Base(tool), filepath.Join(Cache(), "debian/usr", tool))
	}
	for _, tool := range []string{"containerd", "containerd-shim-runc-v2"} {
		n.link(tool, n.Engine.tool(tool))
	}
	n.link("runc", n.Runtime())
	n.link("dockerd", n.dockerd())
	n.startAnchor()
	if out, err := n.Command("sh", "-c", bareSetUp, filepath.Join(Cache(), "debian"), n.Dir).CombinedOutput(); err != nil {
		t.Fatalf("setting up: %v: %s", err, out)
	}
	return n
}

// ImageArchive is the test image as an archive in OCI's layout.
func ImageArchive(t T) string {
	t.Helper()
	return once(t, "image", buildImage)
}
