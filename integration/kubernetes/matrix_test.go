package kubernetes

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	corev1 "k8s.io/api/core/v1"
)

// What the probe says without a filter, or under the Localhost profile, which denies
// add_key only; under the default filter; and under that of a container with
// CAP_SYS_ADMIN.
var (
	free            = said("OK", "OK")
	byDefaultFilter = said("EPERM", "EPERM")
	adminFilter     = said("EPERM", "OK")
)

// localhost is a profile as users bring them, by its name below the kubelet's root.
const localhost = "profiles/no-add-key.json"

const localhostProfile = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [{"names": ["add_key"], "action": "SCMP_ACT_ERRNO"}]}`

// seccomp is a seccompProfile; a Localhost one has the file above.
func seccomp(kind corev1.SeccompProfileType) *corev1.SeccompProfile {
	p := &corev1.SeccompProfile{Type: kind}
	if kind == corev1.SeccompProfileTypeLocalhost {
		p.LocalhostProfile = new(localhost)
	}
	return p
}

// asks has the pod, its container, or both ask for a profile.
func asks(pod, container corev1.SeccompProfileType) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		if pod != "" {
			p.Spec.SecurityContext = &corev1.PodSecurityContext{SeccompProfile: seccomp(pod)}
		}
		if container != "" {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{SeccompProfile: seccomp(container)}
		}
	}
}

func privileged(p *corev1.Pod) {
	p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
}

const (
	unset          = corev1.SeccompProfileType("")
	unconfined     = corev1.SeccompProfileTypeUnconfined
	runtimeDefault = corev1.SeccompProfileTypeRuntimeDefault
	ofFile         = corev1.SeccompProfileTypeLocalhost
)

// matrix is what pods ask for, and what their main container has and says under the
// stock handler; under Batten all have a filter, and say. The kubelet asks for
// RuntimeDefault for the sandbox of any pod, which a privileged one does not get.
var matrix = []struct {
	name              string
	pod               func(*corev1.Pod)
	mode, stock, said string
}{
	{"unset", asks(unset, unset), "0", free, byDefaultFilter},
	{"pod-default", asks(runtimeDefault, unset), "2", byDefaultFilter, byDefaultFilter},
	{"pod-unconfined", asks(unconfined, unset), "0", free, byDefaultFilter},
	{"pod-localhost", asks(ofFile, unset), "2", free, free},
	{"container-default", asks(unset, runtimeDefault), "2", byDefaultFilter, byDefaultFilter},
	{"container-unconfined", asks(unset, unconfined), "0", free, byDefaultFilter},
	{"container-localhost", asks(unset, ofFile), "2", free, free},
	{"undone-by-container", asks(runtimeDefault, unconfined), "0", free, byDefaultFilter},
	{"asked-by-container", asks(unconfined, runtimeDefault), "2", byDefaultFilter, byDefaultFilter},
	{"localhost-undone", asks(ofFile, unconfined), "0", free, byDefaultFilter},
	{"localhost-over-default", asks(runtimeDefault, ofFile), "2", free, free},
	{"annotations", func(p *corev1.Pod) { // dead since 1.27: nothing comes of them
		p.Annotations = map[string]string{"seccomp.security.alpha.kubernetes.io/pod": "runtime/default", "container.seccomp.security.alpha.kubernetes.io/main": "runtime/default"}
	}, "0", free, byDefaultFilter},
	{"privileged", privileged, "0", free, adminFilter},
	{"privileged-with-default", func(p *corev1.Pod) { // which the runtime ignores
		privileged(p)
		p.Spec.Containers[0].SecurityContext.SeccompProfile = seccomp(runtimeDefault)
	}, "0", free, adminFilter},
	{"host-network", func(p *corev1.Pod) { p.Spec.HostNetwork = true }, "0", free, byDefaultFilter},
	{"host-pid", func(p *corev1.Pod) { p.Spec.HostPID = true }, "0", free, byDefaultFilter},
	{"apparmor-unconfined", func(p *corev1.Pod) {
		p.Spec.SecurityContext = &corev1.PodSecurityContext{AppArmorProfile: &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}}
	}, "0", free, byDefaultFilter},
}

// checkMatrix runs the matrix under the stock RuntimeClass and under Batten's. What batten
// explain says of each pod before it is there holds for the pod.
func checkMatrix(t *testing.T, c *cluster.Cluster, stock, batten string) {
	t.Helper()
	write(t, filepath.Join(c.Dir, "kubelet/seccomp", localhost), localhostProfile)
	made := make(map[string]*corev1.Pod)
	put := func(prefix, class string, i int) {
		pod := cluster.Pod(prefix+matrix[i].name, probe...)
		matrix[i].pod(pod)
		made[pod.Name] = c.Create(of(class, pod))
	}
	for i := range matrix {
		put("stock-", stock, i)
		put("batten-", batten, i)
	}
	for _, row := range matrix {
		for _, way := range []struct{ prefix, mode, said, sandbox string }{
			{"stock-", row.mode, row.stock, sandboxOf(row.name)}, {"batten-", "2", row.said, "2"},
		} {
			pod := c.Running(made[way.prefix+row.name])
			if mode := c.Seccomp(pod, "main"); mode != way.mode {
				t.Errorf("%s: Seccomp: %s, want %s", pod.Name, mode, way.mode)
			}
			if mode := c.Seccomp(pod, cluster.Sandbox); mode != way.sandbox {
				t.Errorf("%s: its sandbox has Seccomp: %s, want %s", pod.Name, mode, way.sandbox)
			}
			wantSaid(t, c, pod, way.said)
			wantExplained(t, c, made[pod.Name], way.mode, way.sandbox)
		}
	}
}

func sandboxOf(name string) (mode string) {
	if strings.HasPrefix(name, "privileged") {
		return "0"
	}
	return "2"
}

// wantSaid waits until a pod's container has written something, and compares.
func wantSaid(t *testing.T, c *cluster.Cluster, pod *corev1.Pod, want string) {
	t.Helper()
	out := ""
	for range 100 {
		if out = c.Logs(pod, "main"); len(out) >= len(want) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if out != want {
		t.Errorf("%s said\n%swant\n%s", pod.Name, out, want)
	}
}

// TestDefault: as the node's default, pods come to Batten without naming anything.
func TestDefault(t *testing.T) {
	c := cluster.Start(t, newest, byDefault(t))
	addClass(t, c, "stock")
	checkMatrix(t, c, "stock", "")
	t.Run("whole pod", func(t *testing.T) { checkWholePod(t, c.In(t), "stock", "") })
	t.Run("static pod", func(t *testing.T) { checkStaticPod(t, c.In(t)) })
	t.Run("mounting DaemonSet", func(t *testing.T) { checkDaemonSet(t, c.In(t)) })
	t.Run("short jobs", func(t *testing.T) { checkJobs(t, c.In(t)) })
	t.Run("lint", func(t *testing.T) { checkLint(t, c.In(t)) })
	t.Run("Pod Security", func(t *testing.T) { checkPodSecurity(t, c.In(t)) })
	t.Run("capabilities", func(t *testing.T) { checkCapabilities(t, c.In(t)) })
	t.Run("user namespace", func(t *testing.T) { checkUserNamespace(t, c.In(t)) })
	t.Run("AppArmor", func(t *testing.T) { checkAppArmor(t, c.In(t)) })
	t.Run("seccompDefault", func(t *testing.T) { checkSeccompDefault(t, c.In(t)) })
}
