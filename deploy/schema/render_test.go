package schema

import (
	"encoding/json"
	"strconv"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/invopop/jsonschema"
)

// profileRef is where the schema of a policy has that of a profile.
const profileRef = "#/$defs/profile"

// render returns the JSON Schema of a parser's type.
func render(t *document.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{}
	switch t.Kind {
	case document.String:
		s = text(t)
	case document.Integer:
		s.Type = "integer"
		s.Minimum = json.Number(strconv.FormatUint(t.Min, 10))
		s.Maximum = json.Number(strconv.FormatUint(t.Max, 10))
		if t.OrText {
			s = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, text(&document.Type{Kind: document.String})}}
		}
	case document.List:
		s.Type, s.Items = "array", render(t.Items)
		if t.NotEmpty {
			one := uint64(1)
			s.MinItems = &one
		}
		s.UniqueItems = t.Unique
	case document.Mapping:
		s = mapping(t)
	}
	if t.OrList != nil {
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, render(t.OrList)}}
	}
	if t.Null {
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "null"}}}
	}
	return s
}

// text returns the schema of a string: one of the words, or what the patterns allow.
func text(t *document.Type) *jsonschema.Schema {
	words := &jsonschema.Schema{Type: "string"}
	for _, w := range t.Words {
		words.Enum = append(words.Enum, w)
	}
	if len(t.Words) > 0 && t.Pattern == "" {
		return words
	}
	one := uint64(1)
	s := &jsonschema.Schema{Type: "string", MinLength: &one, Pattern: t.Pattern}
	if t.NotPattern != "" {
		s.Not = &jsonschema.Schema{Pattern: t.NotPattern}
	}
	if len(t.Words) == 0 {
		return s
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{words, s}}
}

// mapping returns the schema of a mapping with fixed keys, or with the writer's.
func mapping(t *document.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object"}
	if t.Items != nil {
		s.AdditionalProperties = render(t.Items)
		s.PropertyNames = &jsonschema.Schema{}
		if t.Names != nil {
			s.PropertyNames = text(t.Names)
			s.PropertyNames.Type, s.PropertyNames.MinLength = "", nil
		}
		return s
	}
	s.Properties, s.AdditionalProperties = jsonschema.NewProperties(), jsonschema.FalseSchema
	for _, k := range t.Keys {
		if k.Refused != "" {
			continue
		}
		value := &jsonschema.Schema{Ref: profileRef}
		if k.Type != profile.Type {
			value = render(k.Type)
		}
		value.Description = k.Doc
		s.Properties.Set(k.Name, value)
		if k.With != "" {
			if s.DependentRequired == nil {
				s.DependentRequired = make(map[string][]string)
			}
			s.DependentRequired[k.Name] = []string{k.With}
		}
		if k.Missing != "" {
			s.Required = append(s.Required, k.Name)
		}
	}
	if len(t.AtMostOneOf) > 0 {
		s.Not = &jsonschema.Schema{Required: t.AtMostOneOf}
	}
	for _, name := range t.OneOf {
		s.OneOf = append(s.OneOf, &jsonschema.Schema{Required: []string{name}})
	}
	return s
}
