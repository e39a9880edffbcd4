package cluster

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	corev1 "k8s.io/api/core/v1"
)

// Kubelet is what tests change of the kubelet's configuration.
type Kubelet struct {
	// SeccompDefault makes RuntimeDefault what pods get that say nothing.
	SeccompDefault bool
	// Taints are what the kubelet registers its node with.
	Taints []corev1.Taint
}

// cgroup is the root of the pods' cgroups.
func (c *Cluster) cgroup() string { return "/" + filepath.Base(c.Dir) }

// StartKubelet starts the kubelet over the state that is there, and waits until the
// API server reaches it: the node's condition is its predecessor's for a while, and an
// exec would be refused.
func (c *Cluster) StartKubelet() {
	c.t.Helper()
	for _, dir := range []string{"manifests", "kubelet/seccomp"} {
		if err := os.MkdirAll(c.path(dir), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	config, err := json.Marshal(map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"authentication": map[string]any{"anonymous": map[string]any{"enabled": true}, "webhook": map[string]any{"enabled": false}},
		"authorization":  map[string]any{"mode": "AlwaysAllow"},
		"cgroupDriver":   "cgroupfs", "cgroupRoot": c.cgroup(), "failCgroupV1": false,
		"enforceNodeAllocatable": []string{}, "localStorageCapacityIsolation": false, "failSwapOn": false,
		"containerRuntimeEndpoint": "unix://" + c.Socket, "staticPodPath": c.path("manifests"),
		"podLogsDir": c.path("pod-logs"), "volumePluginDir": c.path("volume-plugins"),
		"protectKernelDefaults": true, "makeIPTablesUtilChains": false, "oomScoreAdj": 0,
		"evictionHard":       map[string]string{"memory.available": "50Mi", "nodefs.available": "0%", "imagefs.available": "0%", "nodefs.inodesFree": "0%"},
		"fileCheckFrequency": "1s", "syncFrequency": "5s", "maxPods": 250, "serializeImagePulls": false,
		"registryPullQPS": 0, "eventRecordQPS": 0, "seccompDefault": c.kubelet.SeccompDefault,
		"registerWithTaints": c.kubelet.Taints,
		"resolvConf":         "", "clusterDNS": []string{"10.96.0.10"}, "imageGCHighThresholdPercent": 100,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.write("kubelet.yaml", string(config))
	c.start("kubelet", "unshare", "--mount", "--propagation", "unchanged", "sh", "-c", ownSettings, c.path("sysctl"), c.tool("kubelet"), "--config="+c.path("kubelet.yaml"), "--kubeconfig="+c.kubeconfig("kubelet"),
		"--root-dir="+c.path("kubelet"), "--cert-dir="+c.path("kubelet/pki"), "--hostname-override="+NodeName, "--node-ip="+node.Address)
	c.Eventually(time.Minute, "the kubelet to answer", func() error {
		return c.Client.CoreV1().RESTClient().Get().Resource("nodes").Name(NodeName).SubResource("proxy", "healthz").Do(c.Ctx()).Error()
	})
}

// ownSettings starts a kubelet that sees the kernel settings that it would otherwise
// make on the machine. Others see the machine's: where something is mounted over
// /proc, the kernel lets no user namespace mount its own.
const ownSettings = `set -e
mount --make-rprivate /proc
mkdir -p "$0"
setting() {
	name=$(echo "$1" | tr / -)
	echo "$2" >"$0/$name"
	mount --bind "$0/$name" "/proc/sys/$1"
}
setting vm/overcommit_memory 1
setting vm/panic_on_oom 0
setting kernel/panic 10
setting kernel/panic_on_oops 1
setting kernel/keys/root_maxkeys 1000000
setting kernel/keys/root_maxbytes 25000000
exec "$@"`

// cgroupParents are the hierarchies of cgroups, or the one of version 2.
func cgroupParents() ([]string, error) {
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		return []string{"/sys/fs/cgroup"}, nil
	}
	return filepath.Glob("/sys/fs/cgroup/*")
}

// makeCgroups makes the root of the pods' cgroups, which the kubelet wants to find.
func (c *Cluster) makeCgroups() error {
	parents, err := cgroupParents()
	for _, parent := range parents {
		dir := filepath.Join(parent, c.cgroup())
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if data, err := os.ReadFile(filepath.Join(parent, file)); err == nil {
				if err := os.WriteFile(filepath.Join(dir, file), data, 0o644); err != nil {
					return err
				}
			}
		}
	}
	return err
}

// removePodCgroups removes the kubelet's: those of its classes of service, and of
// pods that it had no time for. Containers have none any more.
func (c *Cluster) removePodCgroups() {
	parents, _ := cgroupParents()
	for _, parent := range parents {
		for _, pattern := range []string{"kubepods/*/pod*", "kubepods/pod*", "kubepods/*", "kubepods"} {
			dirs, _ := filepath.Glob(filepath.Join(parent, c.cgroup(), pattern))
			for _, dir := range dirs {
				if info, err := os.Stat(dir); err == nil && info.IsDir() {
					_ = os.Remove(dir)
				}
			}
		}
	}
}

// unmount unmounts what the kubelet left: volumes of pods that were deleted while
// it was down.
func (c *Cluster) unmount() {
	data, err := c.Command("cat", "/proc/self/mounts").Output()
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], c.path("kubelet")) {
			_ = c.Command("umount", fields[1]).Run()
		}
	}
}

// SetKubelet restarts the kubelet with another configuration.
func (c *Cluster) SetKubelet(k Kubelet) {
	c.t.Helper()
	c.Stop("kubelet", syscall.SIGTERM)
	c.kubelet = k
	c.StartKubelet()
}
