package profile

import (
	"bytes"
	"encoding/json"

	"github.com/batten-runtime/batten/policy/document"
)

// ParseWrapped reads a profile in JSON or YAML, by itself or as the spec of a
// SeccompProfile of the Security Profiles Operator. Findings are as for [Parse].
func ParseWrapped(file string, data []byte) (*Profile, document.Findings) {
	var kind struct{ Kind string }
	isJSON := bytes.HasPrefix(bytes.TrimSpace(data), []byte("{"))
	if isJSON && (json.Unmarshal(data, &kind) != nil || kind.Kind == "") {
		return Parse(file, data)
	}
	var findings document.Findings
	n := document.ParseYAML("profile", file, data, &findings)
	if findings.Err() != nil {
		return nil, findings
	}
	if spec, wrapped := unwrap(n); wrapped {
		n = spec
	}
	if findings.Err() != nil || n.IsZero() {
		return nil, findings
	}
	p := FromNode(file, n)
	if findings.Err() != nil {
		return nil, findings
	}
	return p, findings
}

// unwrap is the spec of a Kubernetes object; wrapped is false where n is none.
func unwrap(n document.Node) (spec document.Node, wrapped bool) {
	if !n.IsMapping() {
		return n, false
	}
	n.Each(func(_, value document.Node, name string) {
		switch name {
		case "kind":
			wrapped = true
			value.OneOf("SeccompProfile")
		case "spec":
			spec = value
		}
	})
	if wrapped && spec.IsZero() {
		n.Errorf("has no spec")
	}
	return spec, wrapped
}
