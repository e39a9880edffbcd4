package manifest

import (
	"path"
	"strings"
)

// nestedCalls are the calls that runc and crun make for a container and that
// RuntimeDefault denies whatever the capabilities are. With all capabilities it allows the
// others: mount, unshare, setns, clone with new namespaces.
var nestedCalls = []string{"keyctl", "pivot_root"}

// nested are images that start containers, without registry and tag, and what of the tag
// says so.
var nested = map[string]string{
	"library/docker": "dind", "docker": "dind",
	"kindest/node":       "",
	"buildah/stable":     "",
	"containers/buildah": "",
	"podman/stable":      "",
	"containers/podman":  "",
}

// NestedCalls returns the calls that a container needs beyond RuntimeDefault because its
// image is one that starts containers; nil for other images. What it takes was measured
// with Debian's buildah, podman and dockerd: see docs/guide/kubernetes.md.
func (c Container) NestedCalls() []string {
	name, _, _ := strings.Cut(c.Image, "@")
	tag := ""
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
		name, tag = name[:at], name[at+1:]
	}
	short := path.Join(path.Base(path.Dir(name)), path.Base(name))
	for _, n := range []string{name, short} {
		if part, known := nested[n]; known && strings.Contains(tag, part) {
			return nestedCalls
		}
	}
	return nil
}
