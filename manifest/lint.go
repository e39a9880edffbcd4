package manifest

import (
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/document"
)

// Finding is one thing about a manifest that does not do what it seems to, with
// the edits that mend it where they are mechanical.
type Finding struct {
	document.Finding
	Edits []Edit
}

// Environment is what is known of where the manifests will go.
type Environment struct {
	// SeccompFiles are the files below the kubelet's seccomp root, relative to
	// it; nil where nothing is known of them.
	SeccompFiles []string
	// SeccompRoot is what the kubelet calls that root.
	SeccompRoot string
	// Handlers are the runtime handlers of the node; nil where nothing is known.
	Handlers []string
	// PodSecurity is the level of Pod Security Standards that pods are held to
	// whose namespace is not among the manifests: privileged, baseline or
	// restricted.
	PodSecurity string
}

// IDs of findings, with what each means, in the order of docs/lint.md.
var IDs = map[string]string{
	"not-a-pod":          "the API server does not read it as the pod that it seems to be",
	"unknown-field":      "a field that the API server does not know, and drops",
	"no-profile":         "nothing asks for a filter",
	"unconfined":         "asks for no filter by name",
	"overrides-pod":      "a container undoes the pod's profile",
	"privileged":         "a privileged container, which gets no filter",
	"privileged-profile": "a profile on a privileged container, which is ignored",
	"annotation-ignored": "a seccomp annotation, which Kubernetes ignores since 1.27",
	"localhost-missing":  "localhostProfile names no file on the node",
	"localhost-unknown":  "localhostProfile cannot be looked up here",
	"localhost-path":     "localhostProfile is no path that the API server takes",
	"localhost-type":     "localhostProfile and type do not go together",
	"profile-type":       "a type of profile that there is not",
	"no-handler":         "runtimeClassName for which the node has no handler",
	"pod-security":       "Pod Security Standards would refuse the pod",
}

// linter gathers the findings about one pod.
type linter struct {
	env     Environment
	pod     *Pod
	objects []Object
	out     []Finding
}

// Lint says what the pods among objects do otherwise than they seem to. Objects
// that make no pod count as what the pods refer to: namespaces, runtime classes.
func Lint(objects []Object, env Environment) (out []Finding) {
	for _, o := range objects {
		pod, err := o.Pod()
		l := linter{env: env, objects: objects, pod: pod}
		if pod == nil {
			l.pod = &Pod{Object: o}
		}
		switch {
		case err != nil:
			l.error("not-a-pod", o.Node, nil, "%v; the API server refuses it", err)
		case pod != nil:
			l.lint()
		}
		for i, f := range l.out {
			if slices.ContainsFunc(f.Edits, func(e Edit) bool { return !o.fits(e) }) {
				l.out[i].Edits = nil
			}
		}
		out = append(out, l.out...)
	}
	return out
}

func (l *linter) lint() {
	l.unknownFields()
	l.annotations()
	l.profiles()
	l.runtimeClass()
	l.podSecurity()
}

func (l *linter) error(id string, at Node, edits []Edit, format string, args ...any) {
	l.report(id, false, at, edits, fmt.Sprintf(format, args...))
}

func (l *linter) warn(id string, at Node, edits []Edit, format string, args ...any) {
	l.report(id, true, at, edits, fmt.Sprintf(format, args...))
}

func (l *linter) report(id string, warning bool, at Node, edits []Edit, message string) {
	line, column := at.Place()
	l.out = append(l.out, Finding{document.Finding{
		ID: id, What: "manifest", File: l.pod.File, Line: line, Column: column,
		Path: at.Path, Message: l.pod.String() + ": " + message, Warning: warning,
	}, edits})
}

// unknownFields reports what the API server drops: a profile on the wrong level
// does nothing.
func (l *linter) unknownFields() {
	for _, path := range l.pod.Unknown {
		at := l.pod.Template.at(path)
		l.error("unknown-field", at, nil, "the API server does not know %s and drops it, so it does nothing%s", path, whereTo(path))
	}
}

// whereTo says where a field belongs that stands on the wrong level.
func whereTo(path string) string {
	if slices.Contains([]string{"seccompProfile", "localhostProfile"}, lastKey(path)) {
		return "; it belongs into securityContext of the pod or of a container, as seccompProfile: {type, localhostProfile}"
	}
	return "; look up how it is spelt, and on which level"
}

// runtimeClass reports a class that leads to no handler of the node.
func (l *linter) runtimeClass() {
	handler := l.pod.Handler(l.objects)
	if handler == "" || l.env.Handlers == nil {
		return
	}
	if !slices.Contains(l.env.Handlers, handler) {
		l.error("no-handler", l.pod.Template.Get("spec", "runtimeClassName"), nil,
			"the node has no runtime handler %q, so the pod stays in ContainerCreating with FailedCreatePodSandBox; batten install --handler %s makes one", handler, handler)
	}
}
