package manifest

import (
	"cmp"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the largest manifest that is read, in bytes.
const MaxSize = 4 << 20

// Object is one Kubernetes object, or another document of the file.
type Object struct {
	File                              string
	APIVersion, Kind, Name, Namespace string
	Node                              Node

	source *source
	root   *yaml.Node // the document
}

// Parse reads the documents of a file in YAML, or the values of one in JSON; the items of
// a List or of a typed list, such as PodList, count as documents of their own, empty
// documents not at all. File names the file in errors and objects.
func Parse(file string, data []byte) ([]Object, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("manifest %q: %d bytes are more than the %d that Batten reads", file, len(data), MaxSize)
	}
	src, err := newSource(data)
	if err != nil {
		return nil, fmt.Errorf("manifest %q: not valid YAML: %w", file, err)
	}
	var out []Object
	for _, root := range src.roots {
		if root.Tag != "!!null" {
			out = append(out, objects(Object{File: file, source: src, root: root, Node: Node{yaml: behind(root)}}, nil)...)
		}
	}
	return out, nil
}

// objects returns those that o is: itself, or the items of a list. An item of a typed
// list such as PodList may leave out what the list says.
func objects(o Object, list *Object) []Object {
	n := o.Node
	o.APIVersion, o.Kind = n.Get("apiVersion").Value(), n.Get("kind").Value()
	o.Name, o.Namespace = n.Get("metadata", "name").Value(), n.Get("metadata", "namespace").Value()
	if list != nil && list.Kind != "List" {
		o.APIVersion = cmp.Or(o.APIVersion, list.APIVersion)
		o.Kind = cmp.Or(o.Kind, strings.TrimSuffix(list.Kind, "List"))
	}
	items := n.Get("items")
	if !strings.HasSuffix(o.Kind, "List") || len(items.Items()) == 0 || twice(n) != nil {
		return []Object{o}
	}
	var out []Object
	for _, item := range items.Items() {
		out = append(out, objects(Object{File: o.File, source: o.source, root: o.root, Node: item}, &o)...)
	}
	return out
}

// IsItem reports whether the object is one of several of a file's document: an item of a
// list, or a value of several in JSON.
func (o Object) IsItem() bool {
	return o.Node.yaml != behind(o.root) || o.source.json && len(o.source.roots) > 1
}

// Text returns the object by itself, as YAML.
func (o Object) Text() ([]byte, error) {
	budget := maxNodes
	whole, err := withoutAliases(o.Node.yaml, &budget)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(whole)
}

// IsKubernetes reports whether the document is a Kubernetes object.
func (o Object) IsKubernetes() bool { return o.APIVersion != "" && o.Kind != "" }

// String is the object in the words of kubectl: kind/name, or the kind of one without name.
func (o Object) String() string {
	if o.Name == "" {
		return o.Kind
	}
	return o.Kind + "/" + o.Name
}
