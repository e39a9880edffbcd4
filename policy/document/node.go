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
	id               string // the ID of findings at this node
	t                *Type  // nil if it is not known
	findings         *Findings
	yaml             *yaml.Node
}

// As returns the node with an ID, which findings at the node get.
func (n Node) As(id string) Node {
	n.id = id
	return n
}

// Errorf reports a problem at the node.
func (n Node) Errorf(format string, args ...any) { n.report(false, format, args...) }

// Warnf reports a warning at the node.
func (n Node) Warnf(format string, args ...any) { n.report(true, format, args...) }

func (n Node) report(warning bool, format string, args ...any) {
	f := n.Place()
	f.Message, f.Warning = fmt.Sprintf(format, args...), warning
	*n.findings = append(*n.findings, f)
}

// Place returns a finding at the node's place, without a message.
func (n Node) Place() Finding {
	return Finding{ID: n.id, What: n.what, File: n.file, Line: n.yaml.Line, Column: n.yaml.Column, Path: n.path}
}

// Path returns the node's place inside the document.
func (n Node) Path() string { return n.path }

// IsZero reports whether the node is missing: the field was not written.
func (n Node) IsZero() bool { return n.yaml == nil }

// Fields visits a mapping whose keys are those of t: each key's visitor gets the
// value, in the order of the file. Unknown keys, keys that occur twice, keys that are
// not strings, and required keys that are missing are problems.
func (n Node) Fields(t *Type, visitors map[string]func(Node)) {
	t.check(visitors)
	var seen uint64 // a bit for each of t.Keys
	n.Each(func(key, value Node, name string) {
		i := t.key(name)
		if i < 0 {
			key.path = n.path
			key.Errorf("unknown key %q%s", name, Suggest(name, t.names()))
			return
		}
		k := &t.Keys[i]
		if k.Refused != "" {
			value.Errorf("%s", k.Refused)
			return
		}
		seen |= 1 << i
		if value.t = k.Type; !value.t.Null || !value.IsNull() {
			visitors[name](value)
		}
	})
	for i := range t.Keys {
		if !n.IsMapping() {
			return
		}
		if k := &t.Keys[i]; k.Missing != "" && seen&(1<<i) == 0 {
			n.Errorf("%s", k.Missing)
		}
	}
}

// Each visits the keys and values of a mapping whose keys the writer chooses.
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

// Items returns the elements of a list.
func (n Node) Items() []Node {
	if n.yaml.Kind != yaml.SequenceNode {
		n.Errorf("is %s, want a list", n.kind())
		return nil
	}
	items := make([]Node, len(n.yaml.Content))
	for i, item := range n.yaml.Content {
		items[i] = n.child(item, n.path+"["+strconv.Itoa(i)+"]")
		switch {
		case n.t == nil:
		case n.t.OrList != nil:
			items[i].t = n.t.OrList.Items
		default:
			items[i].t = n.t.Items
		}
	}
	return items
}

func (n Node) child(y *yaml.Node, path string) Node {
	n.yaml, n.path, n.t = y, path, nil
	return n
}

// Errors returns how many errors were reported to the node's findings so far.
func (n Node) Errors() int { return len(n.findings.Errors()) }

// Pair is a key of a mapping with its value.
type Pair struct {
	Key, Value Node
	Name       string
}

// Pairs returns the keys of a mapping with their values, duplicate keys included, and
// reports nothing. A node that is no mapping has none.
func (n Node) Pairs() []Pair {
	if n.yaml.Kind != yaml.MappingNode {
		return nil
	}
	var out []Pair
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		name := n.yaml.Content[i].Value
		path := strings.TrimPrefix(n.path+"."+name, ".")
		out = append(out, Pair{Key: n.child(n.yaml.Content[i], path), Value: n.child(n.yaml.Content[i+1], path), Name: name})
	}
	return out
}

// Without returns the mapping without the given keys, and reports nothing.
func (n Node) Without(keys ...string) Node {
	mapping := *n.yaml
	mapping.Content = nil
	for _, p := range n.Pairs() {
		if !slices.Contains(keys, p.Name) {
			mapping.Content = append(mapping.Content, p.Key.yaml, p.Value.yaml)
		}
	}
	n.yaml = &mapping
	return n
}

// List returns the elements of a list. A node that is no list has none.
func (n Node) List() []Node {
	if !n.IsList() {
		return nil
	}
	return n.Items()
}

// Report adds a finding to the node's findings.
func (n Node) Report(f Finding) { *n.findings = append(*n.findings, f) }
