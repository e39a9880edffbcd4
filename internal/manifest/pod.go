package manifest

import (
	"fmt"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	strict "sigs.k8s.io/json"
	loose "sigs.k8s.io/yaml"
)

// Pod is a pod, or the template that an object makes pods of.
type Pod struct {
	Object
	// Template is the node with the pod's metadata and spec.
	Template Node
	// Meaning is the template as the API server reads it.
	Meaning corev1.PodTemplateSpec
	// Unknown are fields that the API server does not know, by path.
	Unknown []string
	// Custom is set for a pod that was found by its shape, in an object that is not one of
	// Kubernetes itself.
	Custom bool

	assembled bool // of containers that stand somewhere else in the object
}

// templates are where the objects of Kubernetes and of operators hold pods.
var templates = [][]string{nil, {"template"}, {"spec", "template"}, {"spec", "jobTemplate", "spec", "template"}}

// Pod is the pod that an object is or makes; nil where it makes none. The
// error says that the API server would not read it.
func (o Object) Pod() (*Pod, error) {
	for _, path := range templates {
		t := o.Node.Get(path...)
		if len(t.Get("spec", "containers").Items()) == 0 {
			continue
		}
		p := &Pod{Object: o, Template: t}
		for above := range len(path) + 1 {
			if err := twice(o.Node.Get(path[:above]...)); err != nil {
				return nil, unread(o, err)
			}
		}
		if err := p.read(); err != nil {
			return nil, unread(o, err)
		}
		return p, nil
	}
	return nil, nil
}

// Windows reports whether the pod is for nodes that run Windows, where there is no seccomp.
func (p *Pod) Windows() bool {
	os := p.Meaning.Spec.OS
	return os != nil && os.Name == corev1.Windows || p.Meaning.Spec.NodeSelector[corev1.LabelOSStable] == string(corev1.Windows)
}

// read fills Meaning as the API server does: YAML 1.1, names of fields by case.
func (p *Pod) read() error {
	part := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, key := range []string{"metadata", "spec"} {
		if n := p.Template.Get(key); n.Exists() {
			part.Content = append(part.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, n.yaml)
		}
	}
	budget := maxNodes
	whole, err := withoutAliases(part, &budget)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(whole)
	if err != nil {
		return err
	}
	if text, err = loose.YAMLToJSON(text); err != nil {
		return err
	}
	unknown, err := strict.UnmarshalStrict(text, &p.Meaning)
	if err != nil {
		return p.wrongType(text, err)
	}
	for _, u := range unknown {
		if field, ok := u.(strict.FieldError); ok {
			p.Unknown = append(p.Unknown, field.FieldPath())
		}
	}
	return p.sameLists()
}

// sameLists checks that the lists of containers are those that are written there: a
// merge key may bring others.
func (p *Pod) sameLists() error {
	spec := p.Meaning.Spec
	for name, n := range map[string]int{
		"initContainers": len(spec.InitContainers), "containers": len(spec.Containers), "ephemeralContainers": len(spec.EphemeralContainers),
	} {
		if written := len(p.Template.Get("spec", name).Items()); written != n {
			return &UnreadError{at: p.Template.Get("spec", name), Why: fmt.Sprintf("spec.%s has %d elements, of which %d stand there; write them out", name, n, written)}
		}
	}
	return nil
}

// maxNodes bounds what aliases make of a pod.
const maxNodes = 100_000

// withoutAliases is n with what its aliases stand for in their places: an anchor may
// be anywhere in the document, such as a selector's.
func withoutAliases(n *yaml.Node, budget *int) (*yaml.Node, error) {
	if *budget--; *budget < 0 {
		return nil, fmt.Errorf("more than %d values, aliases written out", maxNodes)
	}
	copied := *behind(n)
	copied.Anchor, copied.Content = "", nil
	copied.HeadComment, copied.LineComment, copied.FootComment = "", "", ""
	if copied.Kind == yaml.ScalarNode && copied.Tag == "!!null" {
		copied.Value, copied.Style = "null", 0 // in brackets, yaml writes an empty one as a text
	}
	if err := twice(Node{yaml: behind(n)}); err != nil {
		return nil, err
	}
	for _, child := range behind(n).Content {
		c, err := withoutAliases(child, budget)
		if err != nil {
			return nil, err
		}
		copied.Content = append(copied.Content, c)
	}
	return &copied, nil
}

// Container is a container of a pod: an ordinary, an init or an ephemeral one.
type Container struct {
	Node
	Name, Image string
	Security    *corev1.SecurityContext
	Mounts      []corev1.VolumeMount
}

// Containers are those of all three lists, in the order in which they start.
func (p *Pod) Containers() (out []Container) {
	spec := p.Template.Get("spec")
	for i, n := range spec.Get("initContainers").Items() {
		c := p.Meaning.Spec.InitContainers[i]
		out = append(out, Container{n, c.Name, c.Image, c.SecurityContext, c.VolumeMounts})
	}
	for i, n := range spec.Get("containers").Items() {
		c := p.Meaning.Spec.Containers[i]
		out = append(out, Container{n, c.Name, c.Image, c.SecurityContext, c.VolumeMounts})
	}
	for i, n := range spec.Get("ephemeralContainers").Items() {
		c := p.Meaning.Spec.EphemeralContainers[i]
		out = append(out, Container{n, c.Name, c.Image, c.SecurityContext, c.VolumeMounts})
	}
	return out
}

// Privileged reports whether the container gets every capability and device,
// and no seccomp filter from containerd or CRI-O.
func (c Container) Privileged() bool {
	return c.Security != nil && c.Security.Privileged != nil && *c.Security.Privileged
}

// Seccomp is the profile that the container runs under, with its place: its
// own, else the pod's; nil where neither says anything.
func (p *Pod) Seccomp(c Container) (profile *corev1.SeccompProfile, at Node) {
	if c.Security != nil && c.Security.SeccompProfile != nil {
		return c.Security.SeccompProfile, c.Get("securityContext", "seccompProfile")
	}
	at = p.Template.Get("spec", "securityContext", "seccompProfile")
	if s := p.Meaning.Spec.SecurityContext; s != nil {
		return s.SeccompProfile, at
	}
	return nil, at
}

// PodNamespace is the pod's, as kubectl has it without --namespace.
func (o Object) PodNamespace() string {
	if o.Namespace == "" {
		return "default"
	}
	return o.Namespace
}

// PodName is what a pod of the object will be called, with the letter x for what
// controllers make up.
func (p *Pod) PodName() string {
	if p.Custom {
		return p.Name + "-xxxxx"
	}
	switch p.Kind {
	case "Deployment":
		return p.Name + "-xxxxxxxxxx-xxxxx"
	case "StatefulSet":
		return p.Name + "-0"
	case "CronJob":
		return p.Name + "-xxxxxxxx-xxxxx"
	case "ReplicaSet", "ReplicationController", "DaemonSet", "Job":
		return p.Name + "-xxxxx"
	}
	if p.Name == "" {
		return p.Node.Get("metadata", "generateName").Value() + "xxxxx"
	}
	return p.Name
}

// Handler is the runtime handler that a pod names by its runtime class, which may
// be among objects; empty for the node's default one.
func (p *Pod) Handler(objects []Object) string {
	class := p.Meaning.Spec.RuntimeClassName
	if class == nil {
		return ""
	}
	for _, o := range objects {
		if o.Kind == "RuntimeClass" && o.Name == *class {
			return o.Node.Get("handler").Value()
		}
	}
	return *class
}
