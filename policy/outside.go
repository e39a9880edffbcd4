package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
)

// HostNamespaces are the values of the match field namespaces: kinds of namespaces
// that a container may share with the node (namespaces(7)).
var HostNamespaces = []string{"host-ipc", "host-mount", "host-network", "host-pid", "host-user", "host-uts"}

// Record is the word of hooks for writing hooks into the record.
const Record = "Record"

// Hook is a program that the runtime starts for a container, as root.
type Hook struct {
	// Kind is the hook's key in the spec, such as createRuntime.
	Kind string   `json:"kind"`
	Path string   `json:"path"`
	Args []string `json:"args,omitempty"`
}

func (h Hook) String() string { return h.Kind + " " + h.Path }

// hooksSaid is how many hooks a sentence names; it counts the others.
const hooksSaid = 5

// brings returns the hooks that a container brings, in the words of a sentence.
func brings(hooks []Hook) string {
	if len(hooks) == 1 {
		return "it brings the hook " + hooks[0].String()
	}
	var names []string
	for _, h := range hooks[:min(len(hooks), hooksSaid)] {
		names = append(names, h.String())
	}
	if more := len(hooks) - hooksSaid; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("it brings %d hooks (%s)", len(hooks), strings.Join(names, ", "))
}

// shows reports whether the container sees a path that one of patterns names: a mount shows
// the path, a directory above it, or something below it. The container's root directory
// shows what is at or below it.
func shows(patterns []string, r *Request) bool {
	if patterns == nil {
		return true
	}
	for _, pattern := range patterns {
		want := steps(pattern)
		if slices.ContainsFunc(r.Mounts, func(m string) bool { return meet(want, steps(m)) }) {
			return true
		}
		if slices.ContainsFunc(r.Root, func(m string) bool {
			have := steps(m)
			return len(have) <= len(want) && meet(want, have)
		}) {
			return true
		}
	}
	return false
}

// steps returns the names in a path, none for /.
func steps(p string) []string {
	return strings.FieldsFunc(path.Clean("/"+p), func(r rune) bool { return r == '/' })
}

// Meet reports whether pattern and name are the same path, or one is a directory above the
// other. A container that sees the one then sees the other, or a part of it.
func Meet(pattern, name string) bool { return meet(steps(pattern), steps(name)) }

// meet reports whether one of the two paths is the other or a directory above it.
func meet(patterns, names []string) bool {
	for i := range min(len(patterns), len(names)) {
		if ok, err := path.Match(patterns[i], names[i]); !ok || err != nil {
			return false
		}
	}
	return true
}

// hostPaths reads a list of patterns of absolute paths.
func hostPaths(n document.Node) []string {
	out := globs(n)
	if !n.IsList() {
		return out
	}
	for i, item := range n.Items() {
		switch p := out[i]; {
		case p == "":
		case !path.IsAbs(p):
			item.Errorf("%q is not an absolute path of the node", p)
		case path.Clean(p) != p:
			item.Errorf("%q is not how the path is compared; write %q", p, path.Clean(p))
		case !wholeSteps(p):
			item.Errorf("%q has a / between [ and ], which matches no path", p)
		}
	}
	return out
}

// wholeSteps reports whether each part of a pattern between slashes is a valid pattern.
func wholeSteps(pattern string) bool {
	return !slices.ContainsFunc(steps(pattern), func(step string) bool {
		_, err := path.Match(step, "")
		return err != nil
	})
}

func hostNamespaces(n document.Node) []string {
	var out []string
	for _, item := range n.Items() {
		out = append(out, item.Word())
	}
	notEmpty(n, len(out))
	return out
}

func hooks(n document.Node) string { return n.Word() }

// matches returns what the rules and the drop-ins match.
func (p *Policy) matches() (all []Match) {
	for _, r := range p.Rules {
		all = append(all, r.Match)
	}
	for _, f := range p.Mandatory {
		all = append(all, f.Except...)
	}
	return all
}

// MountPatterns returns all patterns of the match field mounts. It is nil if nothing asks for
// one: then callers need not look at mounts.
func (p *Policy) MountPatterns() (all []string) {
	for _, m := range p.matches() {
		all = append(all, m.Mounts...)
	}
	return all
}

// AsksOfNamespaces reports whether something matches namespaces.
func (p *Policy) AsksOfNamespaces() bool {
	return slices.ContainsFunc(p.matches(), func(m Match) bool { return m.Namespaces != nil })
}
