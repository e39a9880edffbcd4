package policy

import (
	"path"
	"slices"
)

// Match says which containers a rule is for. Every field that is not nil must match. A list
// matches if one of its entries does. Entries are globs as in path.Match; those of Kind,
// Capabilities and Namespaces must be equal.
type Match struct {
	ContainerdNamespace []string
	PodNamespace        []string
	PodName             []string
	Container           []string
	Image               []string
	Kind                []string
	Runtime             []string
	// Capabilities must all be in the bounding set.
	Capabilities []string
	// Mounts are patterns for paths of the node, Namespaces values of [HostNamespaces].
	// Both are compared with what the runtime will do, and so can be trusted.
	Mounts     []string
	Namespaces []string
	// Annotations must all exist with a value that matches. They are the pod
	// author's word.
	Annotations map[string][]string
}

// matches reports whether the rule is for the container of r.
func (m *Match) matches(r *Request, who *Identity) bool {
	return glob(m.ContainerdNamespace, r.ContainerdNamespace, true) &&
		glob(m.PodNamespace, who.PodNamespace, who.pod) &&
		glob(m.PodName, who.PodName, who.pod) &&
		glob(m.Container, who.Container, who.named) &&
		glob(m.Image, who.Image, who.imaged) &&
		glob(m.Runtime, r.Runtime, true) &&
		(m.Kind == nil || slices.Contains(m.Kind, who.Kind)) &&
		subset(m.Capabilities, r.Bounding) &&
		shows(m.Mounts, r) &&
		(m.Namespaces == nil || slices.ContainsFunc(m.Namespaces, func(n string) bool { return slices.Contains(r.Namespaces, n) })) &&
		m.annotations(r.Annotations)
}

func (m *Match) annotations(have map[string]string) bool {
	for key, globs := range m.Annotations {
		value, ok := have[key]
		if !glob(globs, value, ok) {
			return false
		}
	}
	return true
}

// glob reports whether value matches one of globs. A value that is not known matches
// nothing; a nil list of globs matches everything.
func glob(globs []string, value string, known bool) bool {
	if globs == nil {
		return true
	}
	if !known {
		return false
	}
	return slices.ContainsFunc(globs, func(g string) bool {
		ok, err := path.Match(g, value)
		return ok && err == nil
	})
}

func subset(want, have []string) bool {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}
