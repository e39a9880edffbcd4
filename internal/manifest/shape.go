package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// podMakers are the kinds of Kubernetes itself that are pods or make them.
var podMakers = []string{
	"v1 Pod", "v1 PodTemplate", "v1 ReplicationController",
	"apps Deployment", "apps StatefulSet", "apps DaemonSet", "apps ReplicaSet",
	"batch Job", "batch CronJob",
}

// ownGroups are API groups of Kubernetes itself without a dot in their names; all others
// of its own end with .k8s.io.
var ownGroups = []string{"", "apps", "batch", "autoscaling", "policy", "extensions"}

// group returns the API group of an object; empty for the core.
func (o Object) group() string {
	group, _, found := strings.Cut(o.APIVersion, "/")
	if !found {
		return ""
	}
	return group
}

// isOwn reports whether the object is of a kind of Kubernetes itself, so that its fields
// are known.
func (o Object) isOwn() bool {
	group := o.group()
	// x-k8s.io is of projects beside Kubernetes, such as JobSet.
	return slices.Contains(ownGroups, group) || strings.HasSuffix(group, ".k8s.io") && !strings.HasSuffix(group, ".x-k8s.io")
}

// makesPods reports whether the object is of a kind of Kubernetes itself that makes pods.
func (o Object) makesPods() bool {
	group := o.group()
	if group == "" {
		group = "v1"
	}
	if group == "extensions" {
		group = "apps"
	}
	return slices.Contains(podMakers, group+" "+o.Kind)
}

// Pods returns the pods that an object is or makes. Where its kind is not one of
// Kubernetes itself, they are found by their shape. Why says what was not looked at; the
// error says that the API server would not read the pod.
func (o Object) Pods() (pods []*Pod, why string, err error) {
	if err := twice(o.Node); err != nil {
		return nil, "", unread(o, err)
	}
	if o.isEmptyList() {
		return nil, "a list without items", nil
	}
	if o.isOwn() {
		pod, err := o.Pod()
		switch {
		case pod != nil:
			return []*Pod{pod}, "", err
		case err == nil && o.makesPods():
			why = "no containers found in it"
		}
		return nil, why, err
	}
	s := shapes{object: o}
	s.walk(o.Node, Node{yaml: o.Node.yaml, gone: true}, 0)
	if len(s.pods) == 0 && s.why == "" {
		s.why = "no pod template found in it; its kind is not one that Batten knows"
	}
	return s.pods, s.why, nil
}

// isEmptyList reports whether the object is a list, such as PodList, that has no items.
func (o Object) isEmptyList() bool {
	items, written := o.Node.own("items")
	return strings.HasSuffix(o.Kind, "List") && written && (!items.Value.Exists() || items.Value.yaml.Kind == yaml.SequenceNode)
}

// shapes looks for pods in an object of unknown kind.
type shapes struct {
	object Object
	pods   []*Pod
	why    string
	nodes  int
}

// walk looks for pods in n. Context is the securityContext of the pod that n may be a
// part of.
func (s *shapes) walk(n, context Node, depth int) {
	if s.nodes++; s.nodes > maxNodes || depth > 50 {
		s.why = "not all of it was looked at: it is too deep, or too large"
		return
	}
	for _, item := range n.Items() {
		s.walk(item, context, depth+1)
	}
	if !n.Exists() || n.yaml.Kind != yaml.MappingNode {
		return
	}
	if err := twice(n); err != nil {
		s.why = fmt.Sprintf("not all of it was looked at: line %d: %s", err.at.yaml.Line, err.Why)
		return
	}
	if containers := n.Get("spec", "containers"); isContainers(containers) {
		s.add(&Pod{Object: s.object, Template: n, Custom: true})
		return
	}
	for _, key := range []string{"podSecurityContext", "securityContext"} {
		if own := n.Get(key); own.Exists() {
			context = own
		}
	}
	if own := n.Get("podTemplate", "securityContext"); own.Exists() {
		context = own
	}
	if parts := partsOf(n); len(parts) > 0 {
		s.add(&Pod{Object: s.object, Template: assembled(n, context, parts), Custom: true, assembled: true})
	}
	for _, e := range n.Entries() {
		s.walk(e.Value, context, depth+1)
	}
}

// add takes a pod that can be read.
func (s *shapes) add(p *Pod) {
	if err := p.read(); err != nil {
		s.why = "what looks like a pod in it is none that the API server would read"
		if unread := (*UnreadError)(nil); errors.As(err, &unread) {
			line, _ := unread.Place()
			s.why += fmt.Sprintf(" (line %d: %s)", line, strings.TrimPrefix(unread.Why, unreadable))
		}
		return
	}
	s.pods = append(s.pods, p)
}

// isContainers reports whether n is a list of containers.
func isContainers(n Node) bool {
	items := n.Items()
	return len(items) > 0 && !slices.ContainsFunc(items, func(c Node) bool {
		return c.yaml.Kind != yaml.MappingNode || !c.Get("image").Exists() && !c.Get("name").Exists()
	})
}

// partsOf returns the containers that a mapping holds without being a pod's spec with a
// template around it: those of Argo's templates, of Tekton's tasks, and bare specs.
func partsOf(n Node) (out []Node) {
	for _, key := range []string{"initContainers", "containers", "steps", "sidecars", "ephemeralContainers"} {
		if list := n.Get(key); isContainers(list) {
			for _, c := range list.Items() {
				if c.Get("image").Exists() {
					out = append(out, c)
				}
			}
		}
	}
	for _, key := range []string{"container", "script"} {
		if c := n.Get(key); c.Get("image").Exists() {
			out = append(out, c)
		}
	}
	return out
}

// containerKeys are the fields of a container that matter here: a step of Tekton's and a
// script of Argo's have others, which the API server's pod does not.
var containerKeys = []string{"name", "image", "securityContext", "volumeMounts"}

// assembled returns the template of the pod that an operator makes of parts.
func assembled(n, context Node, parts []Node) Node {
	mapping := func(pairs ...*yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: pairs, Line: n.yaml.Line, Column: n.yaml.Column}
	}
	key := func(name string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name} }
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, p := range parts {
		c := mapping()
		c.Line, c.Column = p.yaml.Line, p.yaml.Column
		for _, name := range containerKeys {
			if value := p.Get(name); value.Exists() {
				c.Content = append(c.Content, key(name), value.yaml)
			}
		}
		if !p.Get("name").Exists() { // Argo calls it so
			c.Content = append(c.Content, key("name"), key("main"))
		}
		list.Content = append(list.Content, c)
	}
	spec := mapping(key("containers"), list)
	if context.Exists() {
		spec.Content = append(spec.Content, key("securityContext"), context.yaml)
	}
	return Node{Path: n.Path, yaml: mapping(key("spec"), spec)}
}

// pathOf returns where a value stands in an object by its place in the file, "" if it is
// not found.
func (o Object) pathOf(value *yaml.Node) string {
	var find func(n Node, depth int) string
	find = func(n Node, depth int) string {
		if depth > 50 {
			return ""
		}
		if n.yaml.Line == value.Line && n.yaml.Column == value.Column && n.yaml.Kind == value.Kind {
			return n.Path
		}
		below := n.Items()
		for _, e := range n.Entries() {
			below = append(below, e.Value)
		}
		for _, b := range below {
			if path := find(b, depth+1); path != "" {
				return path
			}
		}
		return ""
	}
	return find(o.Node, 0)
}
