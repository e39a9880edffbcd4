package manifest

import (
	"slices"
	"strings"
)

// The annotations of KEP-135's alpha. Kubernetes 1.27 took them out: the API
// server keeps them, the kubelet does not look.
const (
	podAnnotation       = "seccomp.security.alpha.kubernetes.io/pod"
	containerAnnotation = "container.seccomp.security.alpha.kubernetes.io/"
)

// annotations reports those that once chose a profile.
func (l *linter) annotations() {
	metadata := l.pod.Template.Get("metadata")
	annotations := metadata.Get("annotations").Entries()
	var old []Entry
	for _, e := range annotations {
		key := e.Key.yaml.Value
		if key == podAnnotation || strings.HasPrefix(key, containerAnnotation) {
			old = append(old, e)
		}
	}
	for _, e := range old {
		key := e.Key.yaml.Value
		edits := l.replaceAnnotation(e)
		if len(old) == len(annotations) && len(edits) > 0 {
			// Nothing would be left below annotations.
			for _, m := range metadata.Entries() {
				if m.Key.yaml.Value == "annotations" {
					edits = append(edits, l.pod.remove(m)...)
				}
			}
		}
		l.error("annotation-ignored", e.Key, edits, "Kubernetes ignores the annotation %s since 1.27, without a word, so %q does nothing; write securityContext.seccompProfile instead", key, e.Value.Value())
	}
}

// replaceAnnotation are the edits that make a field of an annotation.
func (l *linter) replaceAnnotation(e Entry) []Edit {
	removed := l.pod.remove(e)
	kind, file := meant(e.Value.Value())
	owner := l.pod.Template.Get("spec")
	if name, ok := strings.CutPrefix(e.Key.yaml.Value, containerAnnotation); ok {
		all := l.pod.Containers()
		k := slices.IndexFunc(all, func(c Container) bool { return c.Name == name })
		if k < 0 {
			return removed // it was never anybody's
		}
		owner = all[k].Node
	}
	if value := e.Value.Value(); value == "unconfined" || owner.Get("securityContext", "seccompProfile").Exists() {
		return removed // to ask for less is no repair
	}
	put := l.putProfile(owner, kind, file)
	if kind == "" || put == nil || removed == nil {
		return nil
	}
	return append(removed, put...)
}

// meant is the field's value for an annotation's; kind is empty for one that
// never meant anything.
func meant(value string) (kind, localhost string) {
	if value == "runtime/default" || value == "docker/default" {
		return "RuntimeDefault", ""
	}
	if file, ok := strings.CutPrefix(value, "localhost/"); ok {
		return "Localhost", file
	}
	return "", ""
}
