package manifest

import (
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// HostNamespaces returns the namespaces that the pod's containers share with the
// node, in the words of the policy: what the kubelet asks of CRI for the pod.
func (p *Pod) HostNamespaces() []string {
	spec := p.Meaning.Spec
	var out []string
	if spec.HostIPC {
		out = append(out, "host-ipc")
	}
	if spec.HostNetwork {
		out = append(out, "host-network", "host-uts") // containerd leaves both out
	}
	if spec.HostPID {
		out = append(out, "host-pid")
	}
	if spec.HostUsers == nil || *spec.HostUsers {
		out = append(out, "host-user")
	}
	return out
}

// own are files that the kubelet and containerd mount into each container of a pod.
var own = []string{
	"/var/lib/kubelet/pods/UID/etc-hosts",
	"/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/ID/hostname",
	"/run/containerd/io.containerd.grpc.v1.cri/sandboxes/ID/shm",
}

// SandboxPaths returns the paths of the node that the pod's pause container shows.
func (p *Pod) SandboxPaths() []string { return own[1:] }

// HostPaths returns the paths of the node that the container's mounts show. Notes
// say which mounts cannot be known before the pod is there.
func (p *Pod) HostPaths(c Container) (paths, notes []string) {
	volumes := make(map[string]corev1.VolumeSource)
	for _, v := range p.Meaning.Spec.Volumes {
		volumes[v.Name] = v.VolumeSource
	}
	paths = append(paths, own...)
	if p.Meaning.Spec.HostIPC {
		paths = append(paths, "/dev/shm")
	}
	for _, m := range c.Mounts {
		switch v := volumes[m.Name]; {
		case v.HostPath != nil:
			paths = append(paths, hostPath(v.HostPath.Path, m))
		case v.PersistentVolumeClaim != nil:
			notes = append(notes, fmt.Sprintf("volume %q is of a claim, and may be a directory of the node: what it shows is unknown", m.Name))
		default:
			paths = append(paths, "/var/lib/kubelet/pods/UID/volumes/"+m.Name)
		}
	}
	return paths, notes
}

// hostPath is what a mount shows of a hostPath volume. Of a subPath that the
// container's environment completes, it is all that it may show.
func hostPath(volume string, m corev1.VolumeMount) string {
	sub := m.SubPath
	if m.SubPathExpr != "" {
		sub, _, _ = strings.Cut(m.SubPathExpr, "$(")
		sub = sub[:strings.LastIndexByte(sub, '/')+1]
		if !strings.Contains(m.SubPathExpr, "$(") {
			sub = m.SubPathExpr
		}
	}
	return path.Join(volume, sub)
}
