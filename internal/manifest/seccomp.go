package manifest

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	corev1 "k8s.io/api/core/v1"
)

const (
	unfiltered = "the container starts without a seccomp filter, unless the kubelet runs with seccompDefault or the node with Batten"
	useDefault = "write seccompProfile: {type: RuntimeDefault}"
)

// profiles reports what the pod's and the containers' profiles do.
func (l *linter) profiles() {
	pod := l.pod.Meaning.Spec.SecurityContext
	at := l.pod.Template.Get("spec", "securityContext", "seccompProfile")
	if pod != nil && pod.SeccompProfile != nil {
		l.profile(pod.SeccompProfile, at, "")
	}
	for _, c := range l.pod.Containers() {
		l.container(c)
	}
}

func (l *linter) container(c Container) {
	own := c.Security != nil && c.Security.SeccompProfile != nil
	profile, at := l.pod.Seccomp(c)
	pod := l.pod.Meaning.Spec.SecurityContext
	switch {
	case c.Privileged() && profile != nil && profile.Type != corev1.SeccompProfileTypeUnconfined:
		l.warn("privileged-profile", at, repair{}, "container %s is privileged, so containerd and CRI-O ignore its profile and it runs unfiltered; drop privileged for the capabilities that it needs, or run it under Batten%s", c.Name, c.nestedNote())
	case c.Privileged():
		l.warn("privileged", c.Get("securityContext", "privileged"), repair{}, "container %s is privileged: it gets no seccomp filter, whatever it asks for, and seccompDefault does not change that; drop privileged for the capabilities that it needs, or run it under Batten%s", c.Name, c.nestedNote())
	case profile == nil:
		l.warn("no-profile", c.Node, l.askAtPod(), "container %s asks for no profile: %s; %s", c.Name, unfiltered, useDefault)
	case own && profile.Type == corev1.SeccompProfileTypeUnconfined && pod != nil && pod.SeccompProfile != nil && pod.SeccompProfile.Type != profile.Type:
		l.error("overrides-pod", at.Get("type"), l.replace(at.Get("type"), "RuntimeDefault"), "container %s undoes the pod's %s and runs unfiltered; leave its seccompProfile out", c.Name, pod.SeccompProfile.Type)
		l.noFile(profile, at, "container "+c.Name+": ")
		return
	}
	if own {
		l.profile(profile, at, "container "+c.Name+": ")
	}
}

// nestedNote says what is known of a privileged container by its image.
func (c Container) nestedNote() string {
	calls := c.NestedCalls()
	if calls == nil {
		return ""
	}
	return fmt.Sprintf(" (its image starts containers, for which RuntimeDefault, what a privileged container gets under Batten, denies %s: deploy/policies/nested.yaml has a rule for it)", strings.Join(calls, " and "))
}

// askAtPod is the repair that asks for RuntimeDefault for the whole pod.
func (l *linter) askAtPod() repair {
	return l.putProfile(l.pod.Template.Get("spec"), "RuntimeDefault", "")
}

// putProfile is the repair that writes a profile into the securityContext of
// owner, which has none.
func (l *linter) putProfile(owner Node, kind, localhost string) repair {
	f := field{key: "seccompProfile", below: []field{{key: "type", text: kind}}}
	at := owner.Get("securityContext", "seccompProfile")
	means := []change{{steps: at.step("type"), value: kind}}
	if localhost != "" {
		f.below = append(f.below, field{key: "localhostProfile", text: localhost})
		means = append(means, change{steps: at.step("localhostProfile"), value: localhost})
	}
	if context := owner.Get("securityContext"); context.Exists() {
		return repair{l.pod.write(context, f), means}
	}
	return repair{l.pod.write(owner, field{key: "securityContext", below: []field{f}}), means}
}

// profile reports what is wrong with one profile by itself.
func (l *linter) profile(p *corev1.SeccompProfile, at Node, whose string) {
	kind, file := at.Get("type"), at.Get("localhostProfile")
	switch p.Type {
	case corev1.SeccompProfileTypeUnconfined:
		l.warn("unconfined", kind, l.replace(kind, "RuntimeDefault"), "%sUnconfined: no filter, and seccompDefault does not change that; %s, or a Localhost profile that allows what RuntimeDefault denies", whose, useDefault)
	case corev1.SeccompProfileTypeRuntimeDefault:
	case corev1.SeccompProfileTypeLocalhost:
		l.localhost(p, kind, file, whose)
		return
	default:
		l.unknownType(p, kind, whose)
		return
	}
	l.noFile(p, at, whose)
}

// noFile reports a localhostProfile beside a type that takes none.
func (l *linter) noFile(p *corev1.SeccompProfile, at Node, whose string) {
	if p.LocalhostProfile != nil {
		l.error("localhost-type", at.Get("localhostProfile"), repair{}, "%slocalhostProfile beside type %s: the API server refuses it; write type: Localhost, or leave localhostProfile out", whose, p.Type)
	}
}

// unknownType reports a type that there is not, and which one is meant.
func (l *linter) unknownType(p *corev1.SeccompProfile, kind Node, whose string) {
	if p.Type == "" {
		write := "type: RuntimeDefault, Localhost or Unconfined"
		if p.LocalhostProfile != nil {
			write = "type: Localhost"
		}
		l.error("profile-type", kind, repair{}, "%sa seccompProfile without a type: the API server refuses it; write %s", whose, write)
		return
	}
	remedy := document.Suggest(string(p.Type), []string{"RuntimeDefault", "Localhost", "Unconfined"})
	if word, _ := meant(string(p.Type)); word != "" {
		remedy = fmt.Sprintf("; did you mean %q?", word)
	}
	l.error("profile-type", kind, repair{}, "%sthere is no type %q: the API server refuses it%s", whose, p.Type,
		cmp.Or(remedy, "; write RuntimeDefault, Localhost or Unconfined"))
}

// localhost reports a profile that the kubelet will not find.
func (l *linter) localhost(p *corev1.SeccompProfile, kind, file Node, whose string) {
	if p.LocalhostProfile != nil && *p.LocalhostProfile == "" {
		l.error("localhost-missing", file, repair{}, "%san empty localhostProfile: the API server takes it, and the kubelet does not start the container: CreateContainerConfigError, localhostProfile must be set; name a file below %s", whose, l.env.SeccompRoot)
		return
	}
	if p.LocalhostProfile == nil {
		l.error("localhost-type", kind, repair{}, "%stype Localhost without localhostProfile: the API server refuses it; name a file below %s", whose, l.env.SeccompRoot)
		return
	}
	name := *p.LocalhostProfile
	full := path.Join(l.env.SeccompRoot, name)
	switch {
	case path.IsAbs(name) || slices.Contains(strings.Split(name, "/"), ".."):
		l.error("localhost-path", file, repair{}, "%sthe API server refuses %q: localhostProfile is relative to the kubelet's seccomp root, %s, and does not leave it", whose, name, l.env.SeccompRoot)
	case l.env.SeccompFiles == nil:
		l.warn("localhost-unknown", file, repair{}, "%sthe kubelet will look for %s, and whether it is there cannot be seen here; run lint on a node as root, or name its copy with --seccomp-root", whose, full)
	case !slices.Contains(l.env.SeccompFiles, path.Clean(name)):
		remedy, mend := l.whereFile(file, name)
		l.error("localhost-missing", file, mend, "%sthere is no %s, so the container does not start: CreateContainerError, cannot load seccomp profile; %s", whose, full, remedy)
	case l.env.Localhost != nil:
		l.judged(path.Clean(name), full, file, whose)
	}
}

// judged reports what is wrong with a profile that is there, as the engine reads it.
func (l *linter) judged(name, full string, file Node, whose string) {
	findings := l.env.Localhost(name)
	for _, f := range findings {
		if slices.Contains(StopsContainers, f.ID) {
			l.error("localhost-broken", file, repair{}, "%sno container starts with %s: CreateContainerError; line %d, column %d: %s", whose, full, f.Line, f.Column, f.Message)
			return
		}
	}
	for _, f := range findings {
		l.report("localhost-profile", f.Warning, file, repair{}, fmt.Sprintf("%s%s, line %d, column %d: %s [%s]", whose, full, f.Line, f.Column, f.Message, cmp.Or(f.ID, "not-a-profile")))
	}
}

// StopsContainers are the IDs of findings about profiles with which no container starts,
// by the word of the engine, of the runtime or of the kernel.
var StopsContainers = []string{"not-read", "cannot-start", "hangs-runtime", "not-compiled", "too-long"}

// whereFile says where the file that is missing may be meant to be.
func (l *linter) whereFile(file Node, name string) (remedy string, mend repair) {
	var same []string
	for _, f := range l.env.SeccompFiles {
		if path.Base(f) == path.Base(name) {
			same = append(same, f)
		}
	}
	switch len(same) {
	case 0:
		return "put the profile there", repair{}
	case 1:
		return fmt.Sprintf("the file is %s: write localhostProfile: %s", path.Join(l.env.SeccompRoot, same[0]), same[0]), l.replace(file, same[0])
	}
	return fmt.Sprintf("files of that name are %s", strings.Join(same, ", ")), repair{}
}
