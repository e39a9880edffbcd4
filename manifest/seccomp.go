package manifest

import (
	"fmt"
	"path"
	"slices"
	"strings"

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
		l.warn("privileged-profile", at, nil, "container %s is privileged, so containerd and CRI-O ignore its profile and it runs unfiltered; drop privileged for the capabilities that it needs, or run it under Batten", c.Name)
	case c.Privileged():
		l.warn("privileged", c.Get("securityContext", "privileged"), nil, "container %s is privileged: it gets no seccomp filter, whatever it asks for, and seccompDefault does not change that; drop privileged for the capabilities that it needs, or run it under Batten", c.Name)
	case profile == nil:
		l.warn("no-profile", c.Node, l.askAtPod(), "container %s asks for no profile: %s; %s", c.Name, unfiltered, useDefault)
	case own && profile.Type == corev1.SeccompProfileTypeUnconfined && pod != nil && pod.SeccompProfile != nil && pod.SeccompProfile.Type != profile.Type:
		l.error("overrides-pod", at.Get("type"), at.Get("type").replace("RuntimeDefault"), "container %s undoes the pod's %s and runs unfiltered; leave its seccompProfile out", c.Name, pod.SeccompProfile.Type)
		return
	}
	if own {
		l.profile(profile, at, "container "+c.Name+": ")
	}
}

// askAtPod is the edit that asks for RuntimeDefault for the whole pod.
func (l *linter) askAtPod() []Edit {
	return l.putProfile(l.pod.Template.Get("spec"), "RuntimeDefault", "")
}

// putProfile is the edit that writes a profile into the securityContext of
// owner, which has none.
func (l *linter) putProfile(owner Node, kind, localhost string) []Edit {
	lines := []string{"seccompProfile:", "  type: " + kind}
	if localhost != "" {
		lines = append(lines, "  localhostProfile: "+localhost)
	}
	if context := owner.Get("securityContext"); context.Exists() {
		return context.put(lines...)
	}
	for k := range lines {
		lines[k] = "  " + lines[k]
	}
	return owner.put(append([]string{"securityContext:"}, lines...)...)
}

// profile reports what is wrong with one profile by itself.
func (l *linter) profile(p *corev1.SeccompProfile, at Node, whose string) {
	kind, file := at.Get("type"), at.Get("localhostProfile")
	switch p.Type {
	case corev1.SeccompProfileTypeUnconfined:
		l.warn("unconfined", kind, kind.replace("RuntimeDefault"), "%sUnconfined: no filter, and seccompDefault does not change that; %s, or a Localhost profile that allows what RuntimeDefault denies", whose, useDefault)
	case corev1.SeccompProfileTypeRuntimeDefault:
	case corev1.SeccompProfileTypeLocalhost:
		l.localhost(p, kind, file, whose)
		return
	default:
		l.error("profile-type", kind, nil, "%sthere is no type %q: the API server refuses it; write RuntimeDefault, Localhost or Unconfined", whose, p.Type)
	}
	if p.LocalhostProfile != nil {
		l.error("localhost-type", file, nil, "%slocalhostProfile beside type %s: the API server refuses it; write type: Localhost, or leave localhostProfile out", whose, p.Type)
	}
}

// localhost reports a profile that the kubelet will not find.
func (l *linter) localhost(p *corev1.SeccompProfile, kind, file Node, whose string) {
	if p.LocalhostProfile == nil || *p.LocalhostProfile == "" {
		l.error("localhost-type", kind, nil, "%stype Localhost without localhostProfile: the API server refuses it; name a file below %s", whose, l.env.SeccompRoot)
		return
	}
	name := *p.LocalhostProfile
	full := path.Join(l.env.SeccompRoot, name)
	switch {
	case path.IsAbs(name) || slices.Contains(strings.Split(name, "/"), ".."):
		l.error("localhost-path", file, nil, "%sthe API server refuses %q: localhostProfile is relative to the kubelet's seccomp root, %s, and does not leave it", whose, name, l.env.SeccompRoot)
	case l.env.SeccompFiles == nil:
		l.warn("localhost-unknown", file, nil, "%sthe kubelet will look for %s, and this machine has no such directory to see whether it is there; run lint on a node, or name its copy with --seccomp-root", whose, full)
	case !slices.Contains(l.env.SeccompFiles, path.Clean(name)):
		remedy, edits := l.whereFile(file, name)
		l.error("localhost-missing", file, edits, "%sthere is no %s, so the container does not start: CreateContainerError, cannot load seccomp profile; %s", whose, full, remedy)
	}
}

// whereFile says where the file that is missing may be meant to be.
func (l *linter) whereFile(file Node, name string) (remedy string, edits []Edit) {
	var same []string
	for _, f := range l.env.SeccompFiles {
		if path.Base(f) == path.Base(name) {
			same = append(same, f)
		}
	}
	switch len(same) {
	case 0:
		return "put the profile there", nil
	case 1:
		return fmt.Sprintf("the file is %s: write localhostProfile: %s", path.Join(l.env.SeccompRoot, same[0]), same[0]), file.replace(same[0])
	}
	return fmt.Sprintf("files of that name are %s", strings.Join(same, ", ")), nil
}
