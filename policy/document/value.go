package document

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// IsNull reports whether the node is null.
func (n Node) IsNull() bool { return n.yaml.Kind == yaml.ScalarNode && n.yaml.Tag == "!!null" }

// IsMapping reports whether the node is a mapping.
func (n Node) IsMapping() bool { return n.yaml.Kind == yaml.MappingNode }

// IsList reports whether the node is a list.
func (n Node) IsList() bool { return n.yaml.Kind == yaml.SequenceNode }

// IsString reports whether the node is a string.
func (n Node) IsString() bool { return n.yaml.Kind == yaml.ScalarNode && n.yaml.Tag == "!!str" }

// kind returns the node's type in the words of an error.
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

// String returns the value of a string that is not empty.
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

// Strings returns the value of a list of strings.
func (n Node) Strings() []string {
	var out []string
	for _, item := range n.Items() {
		out = append(out, item.String())
	}
	return out
}

// Uint returns the value of a whole number of up to the given bits, in decimal or,
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

// Of returns the node as a value of type t.
func (n Node) Of(t *Type) Node {
	n.t = t
	return n
}

// Words returns the words that the value's type allows.
func (n Node) Words() []string {
	if n.t == nil {
		return nil
	}
	return n.t.Words
}

// Word returns the value of a string that must be one of the words of its type.
func (n Node) Word() string {
	v := n.String()
	if words := n.Words(); v != "" && !slices.Contains(words, v) {
		suggestion := Suggest(v, words)
		if suggestion == "" {
			suggestion = Suggest(commonPrefix(words)+v, words)
		}
		n.Errorf("unknown value %q, want %s%s", v, strings.Join(words, ", "), suggestion)
		return ""
	}
	return v
}

// commonPrefix returns what all words begin with, such as SCMP_ACT_.
func commonPrefix(words []string) string {
	prefix := ""
	for i, word := range words {
		if i == 0 {
			prefix = word
		}
		for !strings.HasPrefix(word, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix
}

// Text returns the text of a string, a number or a boolean; it is empty for other nodes.
func (n Node) Text() string {
	if n.yaml.Kind != yaml.ScalarNode || n.IsNull() {
		return ""
	}
	return n.yaml.Value
}
