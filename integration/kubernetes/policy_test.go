package kubernetes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/integration/node"
	corev1 "k8s.io/api/core/v1"
)

// byRule is what the probe says under the profile that rules of these tests give:
// it denies keyctl, which the default does too, and leaves unshare.
var byRule = said("EPERM", "OK")

const ruleProfile = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}`

const rules = `version: 1
profiles:
  no-keys: {file: profiles/no-keys.json}
rules:
- name: the shop's pages
  match: {pod: {namespace: [shop], name: [page-*]}, container: [main]}
  absent: no-keys
`

// TestPolicy: rules go by what Kubernetes calls a pod and its containers, and a pod
// cannot call itself otherwise.
func TestPolicy(t *testing.T) {
	c := cluster.Start(t, newest, byDefault(t))
	addClass(t, c, "stock")
	addNamespace(t, c, "shop", nil)
	t.Run("names", func(t *testing.T) { checkNames(t, c.In(t)) })
	t.Run("floor", func(t *testing.T) { checkFloor(t, c.In(t)) })
	t.Run("mandatory", func(t *testing.T) { checkMandatory(t, c.In(t)) })
	t.Run("denials", func(t *testing.T) { checkDenials(t, c.In(t)) })
	t.Run("learned", func(t *testing.T) { checkLearned(t, c.In(t)) })
	t.Run("denied and repaired", func(t *testing.T) { checkDenied(t, c.In(t)) })
	t.Run("first examples", func(t *testing.T) { checkFirstExamples(t, c.In(t)) })
}

func checkNames(t *testing.T, c *cluster.Cluster) {
	write(t, filepath.Join(c.Etc, "profiles/no-keys.json"), ruleProfile)
	setPolicy(t, c, rules)
	inShop := func(name string) *corev1.Pod {
		pod := cluster.Pod(name, probe...)
		pod.Namespace = "shop"
		return pod
	}
	two := inShop("page-2")
	two.Spec.Containers = append(two.Spec.Containers, cluster.Container("other", probe...))
	imitation := inShop("imitation")
	imitation.Annotations = map[string]string{
		"io.kubernetes.cri.sandbox-name": "page-1", "io.kubernetes.cri.sandbox-namespace": "shop",
		"io.kubernetes.cri.container-name": "main", "io.kubernetes.cri.sandbox-id": "0", "io.kubernetes.cri.container-type": "sandbox",
	}
	imitation.Labels = map[string]string{"io.kubernetes.pod.name": "page-1", "io.kubernetes.container.name": "main"}
	imitation.Spec.Hostname = "page-1"
	for _, row := range []struct {
		pod  *corev1.Pod
		want string
	}{
		{pod: inShop("page-1"), want: byRule},
		{pod: two, want: byRule},
		{pod: inShop("till-1"), want: byDefaultFilter},
		{pod: cluster.Pod("page-3", probe...), want: byDefaultFilter},
		{pod: imitation, want: byDefaultFilter},
	} {
		pod := c.Run(row.pod)
		wantSaid(t, c, pod, row.want)
		if len(pod.Spec.Containers) == 2 {
			if out := c.Logs(pod, "other"); out != byDefaultFilter {
				t.Errorf("its other container said\n%s", out)
			}
		}
	}
}

// checkFloor: what a pod brings is tightened, unless the policy has no floor.
func checkFloor(t *testing.T, c *cluster.Cluster) {
	write(t, filepath.Join(c.Dir, "kubelet/seccomp", localhost), localhostProfile)
	for name, row := range map[string]struct{ policy, want string }{
		"no-floor": {policy: "version: 1\n", want: free},
		"floored":  {policy: "version: 1\nfloor: RuntimeDefault\n", want: byDefaultFilter},
	} {
		setPolicy(t, c, row.policy)
		pod := cluster.Pod(name, probe...)
		asks(ofFile, unset)(pod)
		wantSaid(t, c, c.Run(pod), row.want)
	}
}

// checkMandatory: a drop-in holds what the policy leaves unfiltered, privileged pods too; the
// control is the same pods without it.
func checkMandatory(t *testing.T, c *cluster.Cluster) {
	setPolicy(t, c, "version: 1\nabsent: Unconfined\n")
	dropIn := filepath.Join(c.Etc, "policy.d/no-keys.yaml")
	for name, row := range map[string]struct{ dropIn, want string }{
		"open":   {want: free},
		"closed": {dropIn: "version: 1\nmandatoryFloors: [x]\nprofiles: {x: {inline: " + ruleProfile + "}}\n", want: byRule},
	} {
		if row.dropIn != "" {
			write(t, dropIn, row.dropIn)
		}
		plain, privileged := cluster.Pod(name, probe...), cluster.Pod(name+"-privileged", probe...)
		yes := true
		privileged.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &yes}
		for _, pod := range []*corev1.Pod{plain, privileged} {
			wantSaid(t, c, c.Run(pod), row.want)
		}
		if err := os.RemoveAll(filepath.Dir(dropIn)); err != nil {
			t.Fatal(err)
		}
	}
}

// checkDenied: the author of a refused pod reads why, and what to do; once the policy
// is mended, the same pod starts by itself. Broken policies refuse in the same way.
func checkDenied(t *testing.T, c *cluster.Cluster) {
	for name, row := range map[string]struct {
		policy string
		says   []string
	}{
		"denied": {
			policy: "version: 1\nrules:\n- name: tenants ask for a filter\n  match: {kind: [Container], pod: {namespace: [default]}}\n  absent: Deny\n",
			says:   []string{`batten: container refused: it asks for no seccomp filter, and rule "tenants ask for a filter" says absent: Deny`, "ask for a filter (in Kubernetes: securityContext.seccompProfile.type RuntimeDefault or Localhost, and not privileged)"},
		},
		"broken": {policy: "version: 1\nabsent: RuntimeDfault\n", says: []string{"batten: container refused: ", "policy.yaml", "RuntimeDfault", "RuntimeDefault"}},
	} {
		setPolicy(t, c, row.policy)
		pod := cluster.Pod(name, probe...)
		pod.Spec.RestartPolicy = corev1.RestartPolicyAlways
		control := of("stock", cluster.Pod(name+"-stock", probe...))
		pod = c.Create(pod)
		wantSaid(t, c, c.Run(control), free)
		c.AwaitEvent(pod, row.says...)
		out, err := c.Kubectl("describe", "pod", pod.Name).CombinedOutput()
		if err != nil || !strings.Contains(string(out), row.says[0]) {
			t.Errorf("kubectl describe says (%v)\n%s", err, out)
		}
		if name == "denied" {
			asking := cluster.Pod("asking", probe...)
			asks(runtimeDefault, unset)(asking)
			wantSaid(t, c, c.Run(asking), byDefaultFilter)
		}
		setPolicy(t, c, "version: 1\n")
		wantSaid(t, c, c.Running(pod), byDefaultFilter)
	}
}

// checkFirstExamples: the two pods and the profile that users begin with, as they
// are, under the stock handler and under Batten.
func checkFirstExamples(t *testing.T, c *cluster.Cluster) {
	c.ServeImages(c.Listen(node.Registry), node.ImageArchive(t))
	setPolicy(t, c, "version: 1\n")
	example := func(name, class string) *corev1.Pod {
		text, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		out := strings.Replace(string(text), "name: "+name, "name: "+name+class, 1)
		if class != "" {
			out += "  runtimeClassName: " + class + "\n"
		}
		file := filepath.Join(c.Dir, name+".yaml")
		write(t, file, out)
		if out, err := c.Kubectl("apply", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		pod := cluster.Pod(name + class)
		return c.Await(pod, "its being", func(*corev1.Pod) bool { return true })
	}
	for _, class := range []string{"stock", ""} {
		pod := c.Running(example("secure-pod", class))
		if mode := c.Seccomp(pod, "app-container"); mode != "2" {
			t.Errorf("secure-pod, class %q: Seccomp: %s", class, mode)
		}
	}
	// Where the profile is nowhere below the kubelet's root.
	pod := example("custom-seccomp-pod", "")
	c.AwaitEvent(pod, "restricted-seccomp.json", "no such file or directory")
	c.Delete(pod)
	// Where it is there. runc's words name neither the profile nor what it lacks.
	profile, err := os.ReadFile("testdata/restricted-seccomp.json")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(c.Dir, "kubelet/seccomp/restricted-seccomp.json"), string(profile))
	stock, batten := example("custom-seccomp-pod", "stock"), example("custom-seccomp-pod", "")
	c.AwaitEvent(batten, "its seccomp profile cannot start any container: it denies close, execve,", "add them, or ask for RuntimeDefault")
	c.AwaitEvent(stock, "runc create failed: unable to start container process: ", "function not implemented")
}
