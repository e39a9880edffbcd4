package policy

import "github.com/batten-runtime/batten/internal/names"

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

// Identity names a container and its pod. Only fields that the policy believes are set.
type Identity struct {
	// Kind is Sandbox or Container.
	Kind         string `json:"kind"`
	PodNamespace string `json:"podNamespace,omitempty"`
	PodName      string `json:"podName,omitempty"`
	Container    string `json:"container,omitempty"`
	Image        string `json:"image,omitempty"`

	// pod is set if the pod's fields come from CRI, named if the container's name does, imaged
	// if the image's does. A field that is not known matches nothing.
	pod, named, imaged bool
	// forged says why the annotations cannot be the engine's, so that no rule can be chosen;
	// empty if they can.
	forged string
}

// Identify reads the annotations of r that count: only those of CRI-O, or in containerd's CRI
// namespace, and of a sandbox only those that every supported CRI plugin
// writes there. A sandbox's container-name would be the pod's own word.
func Identify(r Request) Identity {
	if r.Engine == names.CRIO {
		return identifyCRIO(r)
	}
	who := Identity{Kind: Container}
	if r.ContainerdNamespace != names.CRINamespace {
		return who
	}
	a := r.Annotations
	switch a[criContainerType] {
	case "sandbox":
		who.Kind = Sandbox
	case "container":
		who.named, who.imaged = true, true
		who.Container, who.Image = a[criContainer], a[criImage]
	default: // not made by CRI
		return who
	}
	who.pod = true
	who.PodNamespace, who.PodName = a[criPodNamespace], a[criPodName]
	return who
}

// Annotate writes who into annotations as containerd's CRI plugin would, or CRI-O if that is the
// engine. It is the inverse of Identify, and serves explain, which asks about pods that do not
// exist yet.
func (who Identity) Annotate(engine string, annotations map[string]string) {
	if engine == names.CRIO {
		who.annotateCRIO(annotations)
		return
	}
	annotations[criPodNamespace], annotations[criPodName] = who.PodNamespace, who.PodName
	if who.Kind == Sandbox {
		annotations[criContainerType] = "sandbox"
		return
	}
	annotations[criContainerType] = "container"
	annotations[criContainer], annotations[criImage] = who.Container, who.Image
}
