package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the largest manifest that is read, in bytes.
const MaxSize = 4 << 20

// Object is one Kubernetes object, or another document of the file.
type Object struct {
	File                              string
	APIVersion, Kind, Name, Namespace string
	Node                              Node

	lines []string // of the file, with their ends
}

// Parse reads the documents of a file in YAML or JSON; the items of a List
// count as documents of their own, empty documents not at all. File names the
// file in errors and objects.
func Parse(file string, data []byte) ([]Object, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("manifest %q: %d bytes are more than the %d that Batten reads", file, len(data), MaxSize)
	}
	var out []Object
	lines := splitLines(string(data))
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("manifest %q: not valid YAML: %w", file, err)
		}
		if top := root.Content[0]; top.Tag != "!!null" {
			out = append(out, objects(file, lines, Node{yaml: top})...)
		}
	}
}

func objects(file string, lines []string, n Node) []Object {
	o := Object{
		File: file, Node: n, lines: lines,
		APIVersion: n.Get("apiVersion").Value(), Kind: n.Get("kind").Value(),
		Name: n.Get("metadata", "name").Value(), Namespace: n.Get("metadata", "namespace").Value(),
	}
	if o.Kind != "List" {
		return []Object{o}
	}
	var out []Object
	for _, item := range n.Get("items").Items() {
		out = append(out, objects(file, lines, item)...)
	}
	return out
}

// IsKubernetes reports whether the document is a Kubernetes object.
func (o Object) IsKubernetes() bool { return o.APIVersion != "" && o.Kind != "" }

// String is the object in the words of kubectl: kind/name.
func (o Object) String() string { return o.Kind + "/" + o.Name }
