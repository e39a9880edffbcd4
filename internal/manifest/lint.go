package manifest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	corev1 "k8s.io/api/core/v1"
)

// Finding is one thing about a manifest that does not do what it seems to, with
// the edits that mend it where they are mechanical.
type Finding struct {
	document.Finding
	Edits []Edit
	// NotRepaired says why there are no edits where there is a repair that the file's
	// writing does not allow; empty where there is none to begin with.
	NotRepaired string

	means  []change
	source *source
}

// Environment is what is known of where the manifests will go.
type Environment struct {
	// SeccompFiles are the files below the kubelet's seccomp root, relative to
	// it; nil where nothing is known of them.
	SeccompFiles []string
	// Localhost judges one of SeccompFiles as the engine reads it; nil where that is not
	// wanted.
	Localhost func(name string) document.Findings
	// SeccompRoot is what the kubelet calls that root.
	SeccompRoot string
	// Handlers are the runtime handlers of the node; nil where nothing is known.
	Handlers []string
	// PodSecurity is the level of Pod Security Standards that pods are held to
	// whose namespace is not among the manifests: privileged, baseline or
	// restricted.
	PodSecurity string
}

// IDs of findings, with what each means, in the order of docs/reference/findings.md.
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
	"windows-profile":    "a profile on a pod for Windows, which the API server refuses",
	"localhost-broken":   "localhostProfile names a file with which no container starts",
	"localhost-profile":  "localhostProfile names a profile about which there is a finding",
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
		pods, _, err := o.Pods()
		if unread := (*UnreadError)(nil); errors.As(err, &unread) {
			l := linter{env: env, objects: objects, pod: &Pod{Object: o}}
			l.error("not-a-pod", unread.where(), repair{}, "%s", unread.Why)
			out = append(out, l.out...)
		}
		for _, pod := range pods {
			l := linter{env: env, objects: objects, pod: pod}
			l.lint()
			out = append(out, l.out...)
		}
	}
	sound(out)
	return out
}

// Unseen is an object that may make pods, none of which was looked at.
type Unseen struct {
	File        string
	Line        int
	Object, Why string
}

// NotSeen returns the objects in which Lint looks at nothing, but for those of
// Kubernetes itself that make no pods.
func NotSeen(objects []Object) (out []Unseen) {
	for _, o := range objects {
		pods, why, _ := o.Pods()
		what := o.String()
		if slices.ContainsFunc(pods, (*Pod).Windows) && why == "" {
			why = "a pod for Windows, where there is no seccomp: only what the API server refuses was looked at"
		}
		if !o.IsKubernetes() {
			what, why = "a document", "no Kubernetes object: it has no apiVersion or no kind"
		}
		if why != "" {
			line, _ := o.Node.Place()
			out = append(out, Unseen{File: o.File, Line: line, Object: what, Why: why})
		}
	}
	return out
}

func (l *linter) lint() {
	if l.pod.Windows() {
		l.refusals() // there is no seccomp to judge
		return
	}
	l.unknownFields()
	l.annotations()
	l.profiles()
	l.runtimeClass()
	l.podSecurity()
}

func (l *linter) error(id string, at Node, mend repair, format string, args ...any) {
	l.report(id, false, at, mend, fmt.Sprintf(format, args...))
}

func (l *linter) warn(id string, at Node, mend repair, format string, args ...any) {
	l.report(id, true, at, mend, fmt.Sprintf(format, args...))
}

func (l *linter) report(id string, warning bool, at Node, mend repair, message string) {
	line, column := at.Place()
	why := ""
	switch {
	case mend.means == nil:
	case l.pod.assembled:
		why = "the pod is made of parts that stand elsewhere in the object"
	case mend.edits == nil:
		why = "an anchor, an alias, a merge key, or a value over several lines is in the way"
	}
	if l.pod.assembled {
		at.Path, mend = l.pod.pathOf(at.yaml), repair{}
	}
	for i := range mend.means {
		mend.means[i].root = l.pod.root
	}
	l.out = append(l.out, Finding{Finding: document.Finding{
		ID: id, What: "manifest", File: l.pod.File, Line: line, Column: column,
		Path: at.Path, Message: l.pod.String() + ": " + message, Warning: warning,
	}, Edits: mend.edits, NotRepaired: why, means: mend.means, source: l.pod.source})
}

// windows reports a profile on a pod whose spec.os says Windows. A nodeSelector alone is
// nothing to the API server.
func (l *linter) windows() {
	if os := l.pod.Meaning.Spec.OS; os == nil || os.Name != corev1.Windows {
		return
	}
	places := []Node{l.pod.Template.Get("spec")}
	for _, c := range l.pod.Containers() {
		places = append(places, c.Node)
	}
	for _, n := range places {
		if at := n.Get("securityContext", "seccompProfile"); at.Exists() {
			l.error("windows-profile", at, repair{}, "a seccompProfile on a pod for Windows: the API server refuses it; leave it out")
		}
	}
}

// unknownFields reports what the API server drops: a profile on the wrong level
// does nothing.
func (l *linter) unknownFields() {
	for _, path := range l.pod.Unknown {
		if l.pod.Custom && !isSeccompField(path) {
			continue // the operator may know it
		}
		at := l.pod.Template.at(path)
		l.error("unknown-field", at, repair{}, "the API server does not know %s and drops it, so it does nothing%s", path, whereTo(path))
	}
}

func isSeccompField(path string) bool {
	return slices.Contains([]string{"seccompProfile", "localhostProfile"}, lastKey(path))
}

// whereTo says where a field belongs that stands on the wrong level.
func whereTo(path string) string {
	if isSeccompField(path) {
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
		l.error("no-handler", l.pod.Template.Get("spec", "runtimeClassName"), repair{},
			"the node has no runtime handler %q, so the pod stays in ContainerCreating with FailedCreatePodSandBox; batten install --handler %s makes one", handler, handler)
	}
}
