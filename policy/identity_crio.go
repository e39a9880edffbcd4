package policy

import (
	"fmt"
	"strings"
)

// CRI-O writes these annotations into a spec. It believes a pod's author more than containerd
// does, so that where each stands in CRI-O's order decides what it is worth (CRI-O 1.20 to 1.37:
// SpecAddAnnotations in internal/factory/container, runPodSandbox in server):
//
//	container: the pod's annotations; then CRI-O's own; then the container's CRI
//	           annotations (the kubelet's, or a checkpoint's); then its CRI labels
//	sandbox:   CRI-O's own; then the pod's annotations; then the pod's labels, in which
//	           the kubelet and CRI-O overwrite the four kubelet keys
//
// So a pod's author writes any io.kubernetes.cri-o key of his sandbox, and who makes a
// checkpoint any such key of the container that is restored. The four kubelet keys nobody
// writes but the kubelet, and CRI-O for a sandbox. Another client of CRI may leave these out;
// in a container they are then the pod author's. Names that both sets give must be the same.
// A whole pod that is restored (RestorePod) has containers without any CRI labels, so that a
// checkpoint writes both sets: of a container that is restored no name is believed.
const (
	crioKind        = "io.kubernetes.cri-o.ContainerType"
	crioName        = "io.kubernetes.cri-o.Name"        // of the container, or of the sandbox itself
	crioSandboxName = "io.kubernetes.cri-o.SandboxName" // since 1.25 also in a sandbox
	crioImage       = "io.kubernetes.cri-o.ImageName"

	kubePodNamespace = "io.kubernetes.pod.namespace"
	kubePodName      = "io.kubernetes.pod.name"
	kubePodUID       = "io.kubernetes.pod.uid"
	kubeContainer    = "io.kubernetes.container.name"
)

// infraContainer is the kubelet's name for a sandbox's container. No container has it: names
// of containers are of lower-case letters.
const infraContainer = "POD"

// identifyCRIO reads CRI-O's annotations. In a sandbox they say nothing of the image, as in
// containerd's; in a container that is restored they say nothing but that it is one.
func identifyCRIO(r Request) Identity {
	a, who := r.Annotations, Identity{Kind: Container}
	names := crioNames{key: crioSandboxName, all: a}
	switch kind, ok := a[crioKind]; {
	case kind == "sandbox":
		who.Kind, names.key = Sandbox, crioName
	case !ok:
		who.forged = "batten-runc is called by CRI-O's name for it, and CRI-O's annotations are missing"
		return who
	case kind != "container":
		who.forged = fmt.Sprintf("annotation %s: %q is neither sandbox nor container", crioKind, kind)
		return who
	}
	if kubelet, ok := a[kubeContainer]; ok && (kubelet == infraContainer) != (who.Kind == Sandbox) {
		who.forged = disagree(crioKind, a[crioKind], kubeContainer, kubelet)
		return who
	}
	if !names.split(3) {
		who.forged = names.forged
		return who
	}
	pod := names.parts
	names.want(kubePodName, pod[0])
	names.want(kubePodNamespace, pod[1])
	names.want(kubePodUID, pod[2])
	if who.Kind == Container {
		if names.key = crioName; names.split(4) {
			names.want(kubeContainer, names.parts[0])
			for i, key := range []string{kubePodName, kubePodNamespace, kubePodUID} {
				names.same(key, names.parts[1+i], pod[i])
			}
			who.Container = names.parts[0]
		}
	}
	if who.forged = names.forged; who.forged != "" {
		return Identity{Kind: who.Kind, forged: who.forged}
	}
	if r.Restore {
		return Identity{Kind: Container} // no sandbox is restored in this way
	}
	who.pod, who.named = true, who.Kind == Container
	who.PodName, who.PodNamespace = pod[0], pod[1]
	if who.Kind == Container {
		who.Image = a[crioImage]
		who.imaged = who.Image != ""
	}
	return who
}

// crioNames reads the names that CRI-O makes of those in CRI's metadata: k8s_POD_NAMESPACE_UID_ATTEMPT,
// for a container with its name behind k8s_. None of Kubernetes' names has an underscore.
type crioNames struct {
	all   map[string]string
	key   string // whose value was split
	parts []string
	// forged says why the annotations cannot all be CRI-O's; empty if they can.
	forged string
}

// split splits the value of the key into n names, and reports whether it has the form.
func (c *crioNames) split(n int) bool {
	value := c.all[c.key]
	parts := strings.Split(value, "_")
	if len(parts) != n+2 || parts[0] != "k8s" {
		c.say(fmt.Sprintf("annotation %s: %q is not of the form that CRI-O gives it", c.key, value))
		return false
	}
	c.parts = parts[1 : n+1]
	return true
}

// want notes a kubelet's key that is there and has another value than the name that was read.
func (c *crioNames) want(key, name string) {
	if kubelet, ok := c.all[key]; ok && kubelet != name {
		c.say(disagree(c.key, c.all[c.key], key, kubelet))
	}
}

// same notes that two of CRI-O's names have different parts.
func (c *crioNames) same(part, a, b string) {
	if a != b {
		c.say(fmt.Sprintf("annotations %s: %q and %s: %q are of different pods (%s)",
			crioName, c.all[crioName], crioSandboxName, c.all[crioSandboxName], part))
	}
}

func (c *crioNames) say(why string) {
	if c.forged == "" {
		c.forged = why
	}
}

func disagree(key, value, kubeletKey, kubelet string) string {
	return fmt.Sprintf("annotations %s: %q and %s: %q cannot both be CRI-O's", key, value, kubeletKey, kubelet)
}

// annotateCRIO is the inverse of identifyCRIO.
func (who Identity) annotateCRIO(a map[string]string) {
	const uid, attempt = "0", "0"
	name := func(parts ...string) string { return strings.Join(parts, "_") }
	sandbox := name("k8s", who.PodName, who.PodNamespace, uid, attempt)
	a[crioKind], a[crioName], a[crioSandboxName] = "sandbox", sandbox, sandbox
	a[kubePodName], a[kubePodNamespace], a[kubePodUID], a[kubeContainer] = who.PodName, who.PodNamespace, uid, infraContainer
	if who.Kind == Sandbox {
		return
	}
	a[crioKind], a[kubeContainer] = "container", who.Container
	a[crioName] = name("k8s", who.Container, who.PodName, who.PodNamespace, uid, attempt)
	a[crioImage] = who.Image
}
