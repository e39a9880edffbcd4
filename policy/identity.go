package policy

// Annotations that containerd's CRI plugin writes into a spec after those that
// it passes through from the pod, so that a pod cannot set them
// (internal/cri/annotations and WithAnnotation's callers in internal/cri/server).
const (
	criContainerType = "io.kubernetes.cri.container-type"
	criPodNamespace  = "io.kubernetes.cri.sandbox-namespace"
	criPodName       = "io.kubernetes.cri.sandbox-name"
	criContainer     = "io.kubernetes.cri.container-name"
	criImage         = "io.kubernetes.cri.image-name"
	criPrefix        = "io.kubernetes.cri."
)

// criNamespace is the containerd namespace in which the CRI plugin works.
const criNamespace = "k8s.io"

// Identity is who a container is, as far as a policy believes it.
type Identity struct {
	// Kind is Sandbox or Container.
	Kind         string `json:"kind"`
	PodNamespace string `json:"podNamespace,omitempty"`
	PodName      string `json:"podName,omitempty"`
	Container    string `json:"container,omitempty"`
	Image        string `json:"image,omitempty"`

	// pod is set where the pod's fields come from CRI, named where the
	// container's do: a field that is not known matches nothing.
	pod, named bool
}

// Identify reads the annotations of r that count: only in containerd's CRI
// namespace, and of a sandbox only those that every supported CRI plugin
// writes there. A sandbox's container-name would be the pod's own word.
func Identify(r Request) Identity {
	who := Identity{Kind: Container}
	if r.ContainerdNamespace != criNamespace {
		return who
	}
	a := r.Annotations
	switch a[criContainerType] {
	case "sandbox":
		who.Kind = Sandbox
	case "container":
		who.named = true
		who.Container, who.Image = a[criContainer], a[criImage]
	default: // not made by CRI
		return who
	}
	who.pod = true
	who.PodNamespace, who.PodName = a[criPodNamespace], a[criPodName]
	return who
}

// Annotate writes who into annotations as the CRI plugin would: the inverse
// of Identify, for asking what a policy says of a pod that is not there yet.
func (who Identity) Annotate(annotations map[string]string) {
	annotations[criPodNamespace], annotations[criPodName] = who.PodNamespace, who.PodName
	if who.Kind == Sandbox {
		annotations[criContainerType] = "sandbox"
		return
	}
	annotations[criContainerType] = "container"
	annotations[criContainer], annotations[criImage] = who.Container, who.Image
}
