package document

import (
	"fmt"
	"slices"
)

// Type says what a value in a document may be. A parser passes its types to
// [Node.Fields]; deploy/schema makes the JSON Schema from the same types.
type Type struct {
	Kind Kind
	// Words are the strings that are allowed, if only some are.
	Words []string
	// Pattern is a regular expression that a string must match, NotPattern one that it
	// must not. With Words they are for strings that are none of these.
	Pattern, NotPattern string
	// Max is the largest number, Min the smallest.
	Min, Max uint64
	// OrText is set if a string that is not empty may stand in place of a number.
	OrText bool
	// OrList is the type of a list that may stand in place of the value; nil if none may.
	OrList *Type
	// Items is the type of a list's items, or of the values of a mapping whose keys the
	// writer chooses.
	Items *Type
	// NotEmpty is set if a list needs at least one item, Unique if no two may be equal.
	NotEmpty, Unique bool
	// Names is the type of a mapping's keys if the writer chooses them.
	Names *Type
	// Keys are the keys of a mapping if they are fixed. Exactly one of the keys in OneOf
	// must be there, and at most one of those in AtMostOneOf.
	Keys               []Key
	OneOf, AtMostOneOf []string
	// Null is set if a null value is the same as leaving the key out.
	Null bool
}

// Kind is a type as YAML and JSON have it.
type Kind int

// Kinds of values.
const (
	Any Kind = iota
	String
	Integer
	List
	Mapping
)

// Key is a key of a mapping.
type Key struct {
	Name string
	// Doc describes the key in a sentence.
	Doc  string
	Type *Type
	// With is another key that must be there beside it; empty for none.
	With string
	// Missing is the message if the key is missing; it is empty for an optional key.
	Missing string
	// Refused is the message if the key is there; it is empty for an allowed key.
	Refused string
}

// key returns the place of the key of that name in Keys, -1 where there is none.
func (t *Type) key(name string) int {
	return slices.IndexFunc(t.Keys, func(k Key) bool { return k.Name == name })
}

// names returns the keys that are allowed.
func (t *Type) names() (out []string) {
	for _, k := range t.Keys {
		if k.Refused == "" {
			out = append(out, k.Name)
		}
	}
	return out
}

// check panics unless visitors has exactly the keys that t allows: else the parser has a bug.
func (t *Type) check(visitors map[string]func(Node)) {
	if len(t.Keys) > 64 {
		panic("bug: Fields has a bit for each of 64 keys")
	}
	read := 0
	for i := range t.Keys {
		k := &t.Keys[i]
		switch {
		case k.Refused != "":
			continue
		case visitors[k.Name] == nil:
			panic(fmt.Sprintf("bug: nobody reads the key %q", k.Name))
		}
		read++
	}
	if read != len(visitors) {
		panic(fmt.Sprintf("bug: %d keys and %d that read them", read, len(visitors)))
	}
}
