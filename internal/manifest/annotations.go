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
	whole := l.replaceAnnotations(metadata, old, len(old) == len(annotations))
	for _, e := range old {
		key, mend := e.Key.yaml.Value, whole
		if whole.edits == nil {
			mend = l.replaceAnnotation(metadata, e)
		}
		l.error("annotation-ignored", e.Key, mend, "Kubernetes ignores the annotation %s since 1.27, without a word, so %q does nothing; write securityContext.seccompProfile instead", key, e.Value.Value())
	}
}

// replaceAnnotations is the repair for all the annotations that are left over; it takes
// out the key annotations, too, if nothing would be left below.
func (l *linter) replaceAnnotations(metadata Node, old []Entry, all bool) (whole repair) {
	if !all || len(old) == 0 {
		return repair{}
	}
	whole = repair{[]Edit{}, []change{}}
	for _, e := range old {
		whole = whole.and(l.replaceAnnotation(metadata, e))
	}
	m, ok := metadata.own("annotations")
	if !ok || metadata.isFlow() || m.Value.isFlow() {
		return repair{} // {} stays
	}
	return whole.and(l.remove(m, false))
}

// replaceAnnotation is the repair that makes a field of an annotation.
func (l *linter) replaceAnnotation(metadata Node, e Entry) repair {
	removed := l.remove(e, metadata.Get("annotations").isFlow())
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
	if kind == "" {
		return repair{}
	}
	return removed.and(l.putProfile(owner, kind, file))
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
