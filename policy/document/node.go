package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Node is one value of a document. Its methods report what is wrong to the
// findings that the document was parsed with, and return the zero value then.
type Node struct {
	what, file, path string
	id               string // of what is reported next
	findings         *Findings
	yaml             *yaml.Node
}

// As is the node with an ID for what is reported at it.
func (n Node) As(id string) Node {
	n.id = id
	return n
}

// Errorf reports a problem at the node.
func (n Node) Errorf(format string, args ...any) { n.report(false, format, args...) }

// Warnf reports a doubt at the node.
func (n Node) Warnf(format string, args ...any) { n.report(true, format, args...) }

func (n Node) report(warning bool, format string, args ...any) {
	*n.findings = append(*n.findings, Finding{
		ID: n.id, What: n.what, File: n.file, Line: n.yaml.Line, Column: n.yaml.Column,
		Path: n.path, Message: fmt.Sprintf(format, args...), Warning: warning,
	})
}

// Path is the node's place inside the document.
func (n Node) Path() string { return n.path }

// IsZero reports whether there is no such node: a field that was not written.
func (n Node) IsZero() bool { return n.yaml == nil }

// IsNull reports whether the node is null.
func (n Node) IsNull() bool { return n.yaml.Kind == yaml.ScalarNode && n.yaml.Tag == "!!null" }

// IsMapping reports whether the node is a mapping.
func (n Node) IsMapping() bool { return n.yaml.Kind == yaml.MappingNode }

// IsList reports whether the node is a list.
func (n Node) IsList() bool { return n.yaml.Kind == yaml.SequenceNode }

// IsString reports whether the node is a string.
func (n Node) IsString() bool { return n.yaml.Kind == yaml.ScalarNode && n.yaml.Tag == "!!str" }

// kind is the node's type in the words of an error.
func (n Node) kind() string {
	switch n.yaml.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.yaml.Tag {
	case "!!str":
		return "a string"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "a boolean"
	case "!!null":
		return "empty"
	}
	return "of type " + n.yaml.Tag
}

// Fields visits a mapping: for each key that is in known its function gets
// the value. Other keys, keys that occur twice, and keys that are not strings
// are problems. Keys are visited in the order of the file.
func (n Node) Fields(known map[string]func(Node)) {
	n.Each(func(key, value Node, name string) {
		visit, ok := known[name]
		if !ok {
			names := make([]string, 0, len(known))
			for k := range known {
				names = append(names, k)
			}
			key.path = n.path
			key.Errorf("unknown key %q%s", name, Suggest(name, names))
			return
		}
		visit(value)
	})
}

// Each visits a mapping with keys of the writer's choice.
func (n Node) Each(visit func(key, value Node, name string)) {
	if n.yaml.Kind != yaml.MappingNode {
		n.Errorf("is %s, want a mapping", n.kind())
		return
	}
	seen := make(map[string]int, len(n.yaml.Content)/2)
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		key, value := n.child(n.yaml.Content[i], n.path), n.yaml.Content[i+1]
		if key.yaml.Kind != yaml.ScalarNode || key.yaml.Tag != "!!str" {
			key.Errorf("a key is %s, want a string", key.kind())
			continue
		}
		name := key.yaml.Value
		if line, dup := seen[name]; dup {
			key.Errorf("key %q occurs twice, first in line %d; remove one", name, line)
			continue
		}
		seen[name] = key.yaml.Line
		path := name
		if n.path != "" {
			path = n.path + "." + name
		}
		visit(key, n.child(value, path), name)
	}
}

// Items are the elements of a list.
func (n Node) Items() []Node {
	if n.yaml.Kind != yaml.SequenceNode {
		n.Errorf("is %s, want a list", n.kind())
		return nil
	}
	items := make([]Node, len(n.yaml.Content))
	for i, item := range n.yaml.Content {
		items[i] = n.child(item, n.path+"["+strconv.Itoa(i)+"]")
	}
	return items
}

func (n Node) child(y *yaml.Node, path string) Node {
	n.yaml, n.path = y, path
	return n
}

// String is the value of a string that is not empty.
func (n Node) String() string {
	if !n.IsString() {
		n.Errorf("is %s, want a string", n.kind())
		return ""
	}
	switch {
	case n.yaml.Value == "":
		n.Errorf("is empty")
	case strings.ContainsRune(n.yaml.Value, 0):
		n.Errorf("holds a NUL, where a runtime written in C ends it; remove it")
	}
	return n.yaml.Value
}

// Strings is the value of a list of strings.
func (n Node) Strings() []string {
	var out []string
	for _, item := range n.Items() {
		out = append(out, item.String())
	}
	return out
}

// Uint is the value of a whole number of up to the given bits, in decimal or,
// in YAML, hexadecimal.
func (n Node) Uint(bits int) uint64 {
	if n.yaml.Kind != yaml.ScalarNode || n.yaml.Tag != "!!int" {
		n.Errorf("is %s, want a whole number", n.kind())
		return 0
	}
	v, err := strconv.ParseUint(n.yaml.Value, 0, bits)
	if err != nil {
		n.Errorf("%s is not a whole number from 0 to 2^%d-1", n.yaml.Value, bits)
	}
	return v
}

// OneOf is the value of a string that must be one of words.
func (n Node) OneOf(words ...string) string {
	v := n.String()
	if v != "" && !slices.Contains(words, v) {
		n.Errorf("unknown value %q, want %s%s", v, strings.Join(words, ", "), Suggest(v, words))
		return ""
	}
	return v
}
