package enforce

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/spec"
)

// Source says where a container comes from, and what runs it.
type Source struct {
	ContainerdNamespace string
	// Engine is names.CRIO where batten-runc is configured for CRI-O.
	Engine string
	// Runtime is what runs Batten, as rules call it.
	Runtime string
	// Bundle is the directory of config.json. It is empty if the spec is not of this
	// node: then its paths mean nothing here.
	Bundle string
}

// Request returns the request to policy p for a container with the spec s, without the filter
// that the container brings. Everything that asks p about a spec calls Request.
func Request(p *policy.Policy, from Source, s *spec.Spec) policy.Request {
	r := policy.Request{
		ContainerdNamespace: from.ContainerdNamespace,
		Engine:              from.Engine,
		Runtime:             from.Runtime,
		Annotations:         s.Annotations,
		Bounding:            s.Bounding,
		NoNewPrivileges:     s.NoNewPrivileges,
	}
	for _, h := range s.Hooks {
		r.Hooks = append(r.Hooks, policy.Hook{Kind: h.Kind, Path: h.Path, Args: h.Args})
	}
	for _, source := range s.BindSources() {
		r.Mounts = append(r.Mounts, absolute(from.Bundle, source))
	}
	if s.Root != "" {
		r.Root = []string{absolute(from.Bundle, s.Root)}
	}
	if from.Bundle != "" {
		SeeMounts(p, &r)
	}
	if p.AsksOfNamespaces() {
		lookNamespaces(&r, s.Namespaces)
	}
	return r
}

// SeeMounts adds to the mounts of r what they show on this node, if a rule of p matches
// mounts.
func SeeMounts(p *policy.Policy, r *policy.Request) {
	patterns := p.MountPatterns()
	if patterns == nil {
		return
	}
	if err := lookMounts(r, patterns); err != nil {
		r.Unseen = fmt.Sprintf("what its mounts show: %v", err)
	}
}

// absolute returns a path of a spec as the runtime takes it: relative to the bundle
// (runtime-spec config.md).
func absolute(bundle, path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(bundle, path)
	}
	return filepath.Clean(path)
}

// shared lists the kinds of namespaces that rules match: by the type in a spec, the
// rules' word and the file in /proc/PID/ns.
var shared = []struct{ kind, word, file string }{
	{"ipc", "host-ipc", "ipc"},
	{"mount", "host-mount", "mnt"},
	{"network", "host-network", "net"},
	{"pid", "host-pid", "pid"},
	{"user", "host-user", "user"},
	{"uts", "host-uts", "uts"},
}

// lookNamespaces adds to r the namespaces that the container shares with the node: those that
// the spec does not list, and those that it joins by a path of one of the node's. (CRI writes
// the paths of the sandbox's namespaces.)
func lookNamespaces(r *policy.Request, list []spec.Namespace) {
	for _, ns := range shared {
		missing, host := true, false
		for _, have := range list {
			if have.Type != ns.kind {
				continue
			}
			missing = false
			if have.Path == "" {
				continue
			}
			is, err := nodes(have.Path, ns.file)
			if err != nil {
				r.Unseen = fmt.Sprintf("which %s namespace it joins: %v", ns.kind, err)
			}
			host = host || is
		}
		if missing || host {
			r.Namespaces = append(r.Namespaces, ns.word)
		}
	}
}

// nodes reports whether path is the namespace of this process, which the runtime
// inherits, or of the node's first process.
func nodes(path, file string) (bool, error) {
	at, err := identityOf(path)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc([]string{"/proc/self/ns/", "/proc/1/ns/"}, func(dir string) bool {
		host, err := identityOf(dir + file)
		return err == nil && host == at
	}), nil
}

// identityOf returns what tells one namespace from another (namespaces(7)).
func identityOf(path string) (id [2]uint64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return id, err
	}
	st := info.Sys().(*syscall.Stat_t)
	return [2]uint64{uint64(st.Dev), st.Ino}, nil
}
