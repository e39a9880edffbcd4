package kubernetes

import (
	"os"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/cluster"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// checkPodSecurity: admission looks at what a pod asks, Batten at what it gets. Where
// admission demands a profile the pod has to ask for one all the same.
func checkPodSecurity(t *testing.T, c *cluster.Cluster) {
	addNamespace(t, c, "restricted", map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	pod := cluster.Pod("plain", probe...)
	pod.Namespace = "restricted"
	pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), RunAsNonRoot: new(true), RunAsUser: new(int64(1000)),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	_, err := c.Client.CoreV1().Pods("restricted").Create(c.Ctx(), pod, metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), `seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`) {
		t.Errorf("without a profile: %v", err)
	}
	pod.Spec.SecurityContext = &corev1.PodSecurityContext{SeccompProfile: seccomp(runtimeDefault)}
	pod = c.Run(pod)
	wantSaid(t, c, pod, byDefaultFilter)
}

// checkCapabilities: a container that mounts by a capability and is not privileged
// still can, since the default goes by capabilities; one without it cannot.
func checkCapabilities(t *testing.T, c *cluster.Cluster) {
	for _, row := range []struct {
		name string
		add  []corev1.Capability
		want string
	}{
		{name: "mounter", add: []corev1.Capability{"SYS_ADMIN"}, want: "mounted\nkeyctl: EPERM\n"},
		{name: "no-mounter", want: "mount: permission denied (are you root?)\nkeyctl: EPERM\n"},
	} {
		pod := cluster.Pod(row.name, "/bin/sh", "-c", "/bin/busybox mount -t tmpfs x /tmp 2>&1 && echo mounted; /probe call keyctl -- pause")
		pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: row.add}}
		wantSaid(t, c, c.Run(pod), row.want)
	}
}

// checkUserNamespace: a pod of a user namespace, where the node can make one.
func checkUserNamespace(t *testing.T, c *cluster.Cluster) {
	for class, mode := range map[string]string{"stock": "0", "": "2"} {
		pod := of(class, cluster.Pod("userns-"+mode, probe...))
		pod.Spec.HostUsers = new(false)
		pod = c.Run(pod)
		if got := c.Seccomp(pod, "main"); got != mode {
			t.Errorf("%s: Seccomp: %s", pod.Name, got)
		}
		if out := c.Exec(pod, "main", "/bin/cat", "/proc/self/uid_map"); strings.Contains(out, "4294967295") {
			t.Errorf("%s is in the host's user namespace: %s", pod.Name, out)
		}
	}
}

// checkAppArmor: a pod that asks for AppArmor runs where the kernel has it, and is
// refused by the kubelet where it has not, with Batten as without.
func checkAppArmor(t *testing.T, c *cluster.Cluster) {
	_, err := os.Stat("/sys/kernel/security/apparmor")
	for class, mode := range map[string]string{"stock": "0", "": "2"} {
		pod := of(class, cluster.Pod("apparmor"+class))
		pod.Spec.SecurityContext = &corev1.PodSecurityContext{AppArmorProfile: &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeRuntimeDefault}}
		pod = c.Create(pod)
		if err == nil {
			if got := c.Seccomp(c.Running(pod), "main"); got != mode {
				t.Errorf("class %q: Seccomp: %s, want %s", class, got, mode)
			}
			continue
		}
		pod = c.Await(pod, "the refusal", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if !strings.Contains(pod.Status.Message, "AppArmor is not enabled on the host") {
			t.Errorf("class %q: %s", class, pod.Status.Message)
		}
	}
}

// checkSeccompDefault: with the kubelet's own default, what says nothing is filtered
// already; what it leaves open, Batten closes.
func checkSeccompDefault(t *testing.T, c *cluster.Cluster) {
	c.SetKubelet(cluster.Kubelet{SeccompDefault: true})
	for _, row := range []struct {
		name          string
		pod           func(*corev1.Pod)
		stock, batten string
	}{
		{
			name: "sd-unset", pod: asks(unset, unset), stock: byDefaultFilter,
			batten: byDefaultFilter,
		},
		{name: "sd-unconfined", pod: asks(unconfined, unset), stock: free, batten: byDefaultFilter},
		{name: "sd-privileged", pod: privileged, stock: free, batten: adminFilter},
	} {
		for class, want := range map[string]string{"stock": row.stock, "": row.batten} {
			pod := of(class, cluster.Pod(row.name+class, probe...))
			row.pod(pod)
			pod = c.Run(pod)
			wantSaid(t, c, pod, want)
		}
	}
	c.SetKubelet(cluster.Kubelet{})
}
