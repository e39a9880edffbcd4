package policy

import (
	"path"
	"slices"
	"strings"
)

// covers reports whether m matches every container that other matches. It compares entry
// by entry: true is certain; false may only mean that this was not enough to see it.
func (m *Match) covers(other *Match) bool {
	return coversGlobs(m.ContainerdNamespace, other.ContainerdNamespace) &&
		coversGlobs(m.PodNamespace, other.PodNamespace) &&
		coversGlobs(m.PodName, other.PodName) &&
		coversGlobs(m.Container, other.Container) &&
		coversGlobs(m.Image, other.Image) &&
		coversGlobs(m.Runtime, other.Runtime) &&
		coversGlobs(m.Kind, other.Kind) &&
		subset(m.Capabilities, other.Capabilities) &&
		coversGlobs(m.Mounts, other.Mounts) &&
		coversGlobs(m.Namespaces, other.Namespaces) &&
		m.coversAnnotations(other)
}

func (m *Match) coversAnnotations(other *Match) bool {
	for key, globs := range m.Annotations {
		theirs, ok := other.Annotations[key]
		if !ok || !coversGlobs(globs, theirs) {
			return false
		}
	}
	return true
}

// coversGlobs reports whether every glob of inner is covered by one of outer.
func coversGlobs(outer, inner []string) bool {
	if outer == nil {
		return true
	}
	if inner == nil {
		return false
	}
	for _, in := range inner {
		if !slices.ContainsFunc(outer, func(out string) bool { return coversGlob(out, in) }) {
			return false
		}
	}
	return true
}

// coversGlob reports whether outer matches all that inner matches. It knows two cases:
// equal patterns, and a plain word that matches a pattern.
func coversGlob(outer, inner string) bool {
	if outer == inner {
		return true
	}
	if strings.ContainsAny(inner, `*?[\`) {
		return false
	}
	ok, err := path.Match(outer, inner)
	return ok && err == nil
}
