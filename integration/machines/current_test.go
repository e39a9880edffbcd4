package machines

import (
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// current puts today's containerd and runc in the place of Debian's, with systemd's cgroups.
const current = `for f in containerd containerd-shim-runc-v2 ctr runc kubelet; do install -m 0755 /run/in/$f /usr/local/bin/; done
mkdir -p /etc/systemd/system/containerd.service.d /etc/kubernetes/manifests
cat >/etc/systemd/system/containerd.service.d/current.conf <<'END'
[Service]
ExecStart=
ExecStart=/usr/local/bin/containerd
END
cat >/etc/containerd/config.toml <<'END'
version = 3
root = "/var/lib/containerd-current"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "registry.k8s.io/pause:3.6"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
    SystemdCgroup = true
END
cat >/etc/kubernetes/kubelet.yaml <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: systemd
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
staticPodPath: /etc/kubernetes/manifests
failSwapOn: false
END
cat >/etc/kubernetes/manifests/static.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: static, namespace: default}
spec:
  hostNetwork: true
  containers:
  - {name: main, image: "example.org/busybox:1", args: [sleep, "100000"], securityContext: {privileged: true}}
END
systemctl daemon-reload && systemctl restart containerd && until ctr version >/dev/null 2>&1; do sleep 0.2; done
for image in /run/in/*.image; do ctr -n k8s.io images import $image >/dev/null; done
containerd --version; runc --version; kubelet --version`

// awaitPod waits for the kubelet's static pod.
const awaitPod = `timeout 300 sh -c 'until [ "$(ctr -n k8s.io task ls | grep -c RUNNING)" = 2 ]; do sleep 1; done'`

// TestCurrent runs today's containerd, runc and kubelet with systemd's cgroups on a Debian 12.
func TestCurrent(t *testing.T) {
	files := moreFiles(t)
	for engine, programs := range map[string][]string{
		"containerd-2.4": {"containerd", "containerd-shim-runc-v2", "ctr"}, "runc-1.5": {"runc"}, "kubernetes-1.37": {"kubelet"},
	} {
		for _, program := range programs {
			path := filepath.Join(node.Cache(), engine, program)
			if !node.Exists(path) {
				node.Missing(t, program+" is not built: run integration/engines/build.sh all, and kubernetes")
			}
			files[program] = read(t, path)
		}
	}
	m := debian12(t)
	m.memory = "4096"
	play(t, m, []step{
		{command: oneLine(current), says: []string{"containerd/v2 2.4.", "runc version 1.5.", "Kubernetes v1.37."}},
		{command: "dpkg -i batten_0.0.1_amd64.deb && batten install --containerd --default --restart", says: []string{"containerd: installed: /etc/containerd/config.toml", "restarted: containerd"}},
		{command: "batten status", says: []string{"containerd  batten   yes      yes"}, never: "NOT SAFE"},
		{command: "systemd-run --unit kubelet kubelet --config /etc/kubernetes/kubelet.yaml && " + awaitPod},
		{command: "batten records", says: []string{"default/static-", "RuntimeDefault", "Filtered (1)", "default/static-", "RuntimeDefault", "Filtered (1)"}},
		{command: "batten verify", says: []string{"proved", "proved"}},
		{command: "find /sys/fs/cgroup/kubepods.slice -name 'cri-containerd-*.scope'", says: []string{"/kubepods-besteffort.slice/", "cri-containerd-", "cri-containerd-"}},
		{command: "for p in $(ctr -n k8s.io task ls -q); do ctr -n k8s.io task exec --exec-id e$RANDOM $p /bin/busybox grep Seccomp: /proc/self/status; done", says: []string{"Seccomp:\t2", "Seccomp:\t2"}},
		{command: "systemctl restart kubelet containerd && sleep 5 && " + awaitPod + " && batten verify", says: []string{"proved", "proved"}},
		{command: "systemctl stop kubelet"},
	}, files)
}
