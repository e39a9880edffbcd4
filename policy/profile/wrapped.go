package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	"go.yaml.in/yaml/v3"
)

// ParseWrapped reads a profile in JSON or YAML, by itself or as the spec of a
// SeccompProfile of the Security Profiles Operator. Findings are as for [Parse].
func ParseWrapped(file string, data []byte) (*Profile, document.Findings) {
	if !isYAML(file, data) {
		return Parse(file, data)
	}
	var findings document.Findings
	n := document.ParseYAML("profile", file, data, &findings)
	if findings.Err() != nil {
		return nil, findings
	}
	o := operator{}
	if spec, wrapped := unwrap(n); wrapped {
		n = o.own(spec)
	}
	if findings.Err() != nil || n.IsZero() {
		return nil, findings
	}
	p := fromNode(file, n, o)
	if findings.Err() != nil {
		return nil, findings
	}
	return p, findings
}

// isYAML reports whether a file is to be read as YAML: a Kubernetes object, whatever it
// is written in, or a mapping in a file that is not named .json.
func isYAML(file string, data []byte) bool {
	if len(data) > semantics.MaxSize {
		return false
	}
	if json.Valid(data) {
		var kind struct{ Kind string }
		return json.Unmarshal(data, &kind) == nil && kind.Kind != ""
	}
	first := bytes.TrimLeft(data, " \t\r\n\xef\xbb\xbf")
	if len(first) == 0 || first[0] == '{' || strings.HasSuffix(file, ".json") {
		return false
	}
	var mapping map[string]any
	err := yaml.Unmarshal(data, &mapping)
	var wrong *yaml.TypeError // a text that is no mapping, such as JSON with a stray letter
	return !errors.As(err, &wrong)
}

// IsWrapped reports whether a file is a Kubernetes object and so a SeccompProfile,
// which the Security Profiles Operator reads and no engine does.
func IsWrapped(file string, data []byte) bool {
	var object struct{ Kind string }
	return isYAML(file, data) && yaml.Unmarshal(data, &object) == nil && object.Kind != ""
}

// unwrap returns the spec of a Kubernetes object; wrapped is false where n is none.
func unwrap(n document.Node) (spec document.Node, wrapped bool) {
	if !n.IsMapping() {
		return n, false
	}
	n.Each(func(_, value document.Node, name string) {
		switch name {
		case "kind":
			wrapped = true
			value.Of(word([]string{"SeccompProfile"})).Word()
		case "spec":
			spec = value
		}
	})
	if wrapped && spec.IsZero() {
		n.Errorf("has no spec")
	}
	return spec, wrapped
}
