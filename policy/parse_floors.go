package policy

import (
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
)

// mandatory reads the list of mandatory floors, which leave out some containers.
func (r *reader) mandatory(n document.Node, except []Match) {
	if n.IsZero() {
		return
	}
	for _, name := range r.floors(n) {
		r.policy.Mandatory = append(r.policy.Mandatory, Mandatory{Name: name, File: r.policy.Path, Except: except, profile: r.policy.profiles[name]})
	}
}

// floors reads a list of floors.
func (r *reader) floors(n document.Node) (names []string) {
	items := n.Items()
	if n.IsList() && len(items) == 0 {
		n.Errorf("is an empty list, which demands nothing; leave the key out")
	}
	for _, item := range items {
		name := r.profileName(item)
		if name != "" && slices.Contains(names, name) {
			item.Errorf("%q is there twice", name)
		}
		names = append(names, name)
	}
	return names
}

// floor reads one floor, or a list of them.
func (r *reader) floor(n document.Node) string {
	if n.IsList() {
		return strings.Join(r.floors(n), together)
	}
	return r.profileName(n)
}
