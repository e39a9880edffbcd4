package spec

import (
	"encoding/json"
	"slices"
	"strings"
)

// Mount is an entry of mounts (runtime-spec config.md, Mounts).
type Mount struct {
	Type    string   `json:"type"`
	Source  string   `json:"source"`
	Options []string `json:"options"`
}

// Namespace is an entry of linux.namespaces (runtime-spec config-linux.md). For a type without
// an entry the container stays in the runtime's namespace; an entry with a path joins the
// namespace at that path.
type Namespace struct {
	Type string `json:"type"`
	Path string `json:"path"`
}

// Hook is a program that the runtime starts for the container, as root and mostly
// outside of it (runtime-spec config.md, POSIX-platform Hooks).
type Hook struct {
	Kind string   `json:"-"`
	Path string   `json:"path"`
	Args []string `json:"args"`
}

// hookKinds are the keys of hooks, in the order in which runtimes run them.
var hookKinds = []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}

// exact reports whether strings at path must not hold a NUL: crun would end them there.
func exact(path string) bool {
	for _, prefix := range []string{"linux.seccomp.", "linux.namespaces[]", "mounts[]", "hooks.", "root."} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// keepOutside keeps a value that names something outside of the container.
func (s *Spec) keepOutside(path string, raw []byte) error {
	switch path {
	case "mounts":
		return json.Unmarshal(raw, &s.Mounts)
	case "linux.namespaces":
		return json.Unmarshal(raw, &s.Namespaces)
	case "root.path":
		return json.Unmarshal(raw, &s.Root)
	}
	kind, ok := strings.CutPrefix(path, "hooks.")
	if !ok || !slices.Contains(hookKinds, kind) {
		return nil
	}
	var hooks []Hook
	err := json.Unmarshal(raw, &hooks)
	for _, h := range hooks {
		h.Kind = kind
		s.Hooks = append(s.Hooks, h)
	}
	return err
}

// BindSources returns the paths of the node that the container's mounts show, as the spec has
// them. A relative path is relative to the bundle.
func (v *View) BindSources() []string {
	var out []string
	for _, m := range v.Mounts {
		bind := m.Type == "bind" || slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind")
		if m.Source != "" && (bind || strings.HasPrefix(m.Source, "/")) {
			out = append(out, m.Source)
		}
		for _, option := range m.Options {
			out = append(out, overlayDirs(option)...)
		}
	}
	return out
}

// overlayDirs returns the directories that an option of an overlay names
// (Documentation/filesystems/overlayfs.rst).
func overlayDirs(option string) []string {
	key, value, _ := strings.Cut(option, "=")
	switch strings.TrimSuffix(key, "+") {
	case "lowerdir", "upperdir", "workdir", "datadir":
		return slices.DeleteFunc(strings.Split(value, ":"), func(dir string) bool { return dir == "" })
	}
	return nil
}
