package policy

import (
	"path"
	"slices"
	"strings"
)

// covers reports whether m matches all that other matches, as far as that
// shows entry by entry: a true answer is right, a false one may be too careful.
func (m *Match) covers(other *Match) bool {
	return coversGlobs(m.ContainerdNamespace, other.ContainerdNamespace) &&
		coversGlobs(m.PodNamespace, other.PodNamespace) &&
		coversGlobs(m.PodName, other.PodName) &&
		coversGlobs(m.Container, other.Container) &&
		coversGlobs(m.Image, other.Image) &&
		coversGlobs(m.Runtime, other.Runtime) &&
		coversGlobs(m.Kind, other.Kind) &&
		subset(m.Capabilities, other.Capabilities) &&
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

// coversGlobs reports whether each of inner lies within one of outer.
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

// coversGlob knows equal patterns, and a plain word under a pattern.
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
