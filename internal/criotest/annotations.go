package criotest

import (
	"encoding/json"
	"maps"
	"strings"
)

// Pod is a pod as the kubelet gives it to CRI-O.
type Pod struct {
	Name, Namespace, UID string
	// Annotations and Labels are what the pod's author wrote.
	Annotations, Labels map[string]string
}

// Container is a container of a pod. CRI tells an init container from another one by nothing
// but its name.
type Container struct {
	Name string
	// Image is the name of the image that CRI-O took; empty for an image without a name.
	Image string
	// Annotations are CRI's of the container. The kubelet's are Kubelet; CRI-O takes those of a
	// container that it restores out of the checkpoint (server/container_restore.go).
	Annotations map[string]string
	// Unlabelled is set where another client of CRI than the kubelet gives no labels.
	Unlabelled bool
}

// Kubelet are the annotations that the kubelet gives to containers (newContainerAnnotations in
// its pkg/kubelet/kuberuntime).
var Kubelet = map[string]string{
	"io.kubernetes.container.hash":                     "5a1d1a7a",
	"io.kubernetes.container.restartCount":             "0",
	"io.kubernetes.container.terminationMessagePath":   "/dev/termination-log",
	"io.kubernetes.container.terminationMessagePolicy": "File",
	"io.kubernetes.pod.terminationGracePeriod":         "30",
}

// IDs of containers as CRI-O makes them.
const (
	SandboxID   = "6b4f1c1e3f0a5d7c9be2a4f6081d3c5e7f9012a3b4c5d6e7f8091a2b3c4d5e6f"
	ContainerID = "c0ffee1e3f0a5d7c9be2a4f6081d3c5e7f9012a3b4c5d6e7f8091a2b3c4d5e6f"
)

const created = "2026-11-27T09:30:00.000000000Z"

// Sandbox returns the annotations of the pod's own container: the pod's author's come after
// CRI-O's, and the labels, in which the kubelet and CRI-O have the last word, come last.
func (p Pod) Sandbox() map[string]string {
	a := own(map[string]string{
		"Name": p.sandboxName(), "SandboxName": p.sandboxName(), "SandboxID": SandboxID, "Namespace": p.Namespace, "KubeName": p.Name,
		"ContainerType": "sandbox", "ContainerID": SandboxID, "ContainerName": name("k8s", "POD", p.Name, p.Namespace, p.UID, "0"),
		"Metadata": object(map[string]any{"name": p.Name, "namespace": p.Namespace, "uid": p.UID}),
		"Labels":   object(p.labels("POD")), "Annotations": object(p.Annotations),
		"Image": "registry.k8s.io/pause:3.10.1", "ImageName": "registry.k8s.io/pause:3.10.1",
		"RuntimeHandler": "", "PrivilegedRuntime": "false", "HostNetwork": "false", "HostName": p.Name, "NamespaceOptions": `{"pid":1}`,
		"LogPath": "/var/log/pods/x/" + SandboxID + ".log", "ShmPath": "/dev/shm", "ResolvPath": "/run/resolv.conf",
		"PortMappings": "[]", "CgroupParent": "kubepods.slice", "Created": created,
	})
	maps.Copy(a, p.Annotations)
	maps.Copy(a, p.labels("POD"))
	maps.Copy(a, own(map[string]string{"MountPoint": "/mnt", "HostnamePath": "/run/hostname", "SeccompProfilePath": ""}))
	return a
}

// Container returns the annotations of a container of the pod: the pod's author's come first,
// and the container's labels, which the kubelet writes, last.
func (p Pod) Container(c Container) map[string]string {
	labels := p.kubelet(c.Name)
	if c.Unlabelled {
		labels = nil
	}
	a := maps.Clone(p.Annotations)
	if a == nil {
		a = map[string]string{}
	}
	maps.Copy(a, own(map[string]string{
		"Image": "sha256:9f1c", "ImageName": c.Image, "ImageRef": "9f1c",
		"Name": name("k8s", c.Name, p.Name, p.Namespace, p.UID, "0"), "ContainerID": ContainerID, "ContainerType": "container",
		"SandboxID": SandboxID, "SandboxName": p.sandboxName(), "Metadata": object(map[string]any{"name": c.Name}),
		"LogPath": "/var/log/pods/x/0.log", "TTY": "false", "Stdin": "false", "StdinOnce": "false", "ResolvPath": "/run/resolv.conf",
		"MountPoint": "/mnt", "SeccompProfilePath": "RuntimeDefault", "Created": created, "Labels": object(labels),
		"Volumes": "[]", "Annotations": object(c.Annotations),
	}))
	a["platform-runtime-path.crio.io"] = ""
	maps.Copy(a, c.Annotations)
	maps.Copy(a, labels)
	a["io.kubernetes.cri-o.IP.0"] = "10.0.0.7"
	return a
}

// own returns annotations of CRI-O's by their keys.
func own(values map[string]string) map[string]string {
	out := map[string]string{"io.container.manager": "cri-o"}
	for key, value := range values {
		out["io.kubernetes.cri-o."+key] = value
	}
	return out
}

// labels returns a sandbox's labels: the pod's, those of the kubelet over them (newPodLabels in
// pkg/kubelet/kuberuntime), and CRI-O's name for its container.
func (p Pod) labels(container string) map[string]string {
	out := maps.Clone(p.Labels)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, p.kubelet(container))
	return out
}

// kubelet returns a container's labels, which have nothing of the pod's author's
// (newContainerLabels there).
func (p Pod) kubelet(container string) map[string]string {
	return map[string]string{
		"io.kubernetes.pod.name": p.Name, "io.kubernetes.pod.namespace": p.Namespace, "io.kubernetes.pod.uid": p.UID,
		"io.kubernetes.container.name": container,
	}
}

func (p Pod) sandboxName() string { return name("k8s", p.Name, p.Namespace, p.UID, "0") }

func name(parts ...string) string { return strings.Join(parts, "_") }

func object(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // a bug: maps of strings
	}
	return string(data)
}
