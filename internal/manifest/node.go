package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Node is a value of a manifest, or, where there is none, the nearest value
// that would hold it.
type Node struct {
	// Path is the place in the document, such as spec.containers[0].
	Path  string
	yaml  *yaml.Node
	gone  bool
	steps []any // the keys and the numbers of Path
}

// step returns the steps to what a node holds under a key or a number.
func (n Node) step(next any) []any { return append(slices.Clone(n.steps), next) }

// Exists reports whether the value was written and is not null.
func (n Node) Exists() bool { return !n.gone && n.yaml.Tag != "!!null" }

// Place is where the value begins, from 1 on.
func (n Node) Place() (line, column int) { return n.yaml.Line, n.yaml.Column }

// Value is the text of a scalar, "" for all else.
func (n Node) Value() string {
	if !n.Exists() || n.yaml.Kind != yaml.ScalarNode {
		return ""
	}
	return n.yaml.Value
}

// Get goes down by keys.
func (n Node) Get(keys ...string) Node {
	for _, key := range keys {
		n = n.field(key)
	}
	return n
}

func (n Node) field(key string) Node {
	path := key
	if n.Path != "" {
		path = n.Path + "." + key
	}
	if !n.gone {
		if value := lookUp(n.yaml, key); value != nil {
			return Node{Path: path, yaml: value, steps: n.step(key)}
		}
	}
	return Node{Path: path, yaml: n.yaml, gone: true, steps: n.step(key)}
}

// lookUp finds a key in a mapping, also in what is merged into it with <<.
func lookUp(n *yaml.Node, key string) *yaml.Node {
	n = behind(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return behind(n.Content[i+1])
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag == "!!merge" {
			if value := lookUp(n.Content[i+1], key); value != nil {
				return value
			}
		}
	}
	return nil
}

// behind follows an alias. The parser refuses one that contains itself.
func behind(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Items are the elements of a list, none for all else.
func (n Node) Items() (out []Node) {
	if n.gone || n.yaml.Kind != yaml.SequenceNode {
		return nil
	}
	for i, item := range n.yaml.Content {
		out = append(out, Node{Path: fmt.Sprintf("%s[%d]", n.Path, i), yaml: behind(item), steps: n.step(i)})
	}
	return out
}

// Entry is a key of a mapping with its value.
type Entry struct{ Key, Value Node }

// Entries are those of a mapping, none for all else.
func (n Node) Entries() (out []Entry) {
	if n.gone || n.yaml.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		key := n.yaml.Content[i]
		path := key.Value
		if n.Path != "" {
			path = n.Path + "." + key.Value
		}
		out = append(out, Entry{
			Key:   Node{Path: path, yaml: key, steps: n.step(key.Value)},
			Value: Node{Path: path, yaml: behind(n.yaml.Content[i+1]), steps: n.step(key.Value)},
		})
	}
	return out
}

// at goes down a path such as spec.containers[0].name, as far as it exists.
func (n Node) at(path string) Node {
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' }) {
		if index, ok := strings.CutSuffix(step, "]"); ok {
			k, err := strconv.Atoi(index)
			if items := n.Items(); err == nil && k < len(items) {
				n = items[k]
				continue
			}
		}
		n = n.Get(step)
	}
	return n
}

// lastKey is the last step of a path.
func lastKey(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
