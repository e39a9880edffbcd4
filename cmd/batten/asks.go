package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/manifest"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/cap"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	corev1 "k8s.io/api/core/v1"
)

// onNode is what explain needs to know of the node besides its policy.
type onNode struct {
	seccompRoot, containerd string
	seccompDefault          bool
}

// asks is what a container's linux.seccomp will hold when it comes to the shim.
func (n onNode) asks(pod *manifest.Pod, c manifest.Container) (asks string, filtered bool, note string) {
	s, _ := pod.Seccomp(c)
	switch {
	case c.Privileged() && s != nil && s.Type != corev1.SeccompProfileTypeUnconfined:
		return "nothing (privileged)", false, fmt.Sprintf("it is privileged, so its %s is ignored", s.Type)
	case c.Privileged():
		return "nothing (privileged)", false, ""
	case s == nil && n.seccompDefault:
		return "RuntimeDefault (the kubelet's seccompDefault)", true, ""
	case s == nil:
		return "nothing", false, ""
	case s.Type == corev1.SeccompProfileTypeUnconfined:
		return "nothing (Unconfined)", false, ""
	case s.Type != corev1.SeccompProfileTypeLocalhost || s.LocalhostProfile == nil:
		return string(s.Type), true, ""
	}
	asks, filtered = "Localhost "+*s.LocalhostProfile, true
	data, err := os.ReadFile(filepath.Join(n.seccompRoot, *s.LocalhostProfile))
	if err != nil {
		return asks, filtered, fmt.Sprintf("its profile cannot be read here: %v", err)
	}
	if own, findings := profile.Parse(*s.LocalhostProfile, data); findings.Err() != nil {
		note = findings.Errors()[0].Message
	} else if own.Empty() {
		return asks, false, "its profile allows everything, which is no filter"
	}
	return asks, filtered, note
}

// bounding is the bounding set that CRI gives a container: the defaults, and what
// is added and dropped (containerd's WithCapabilities in internal/cri/opts).
func bounding(c manifest.Container) []string {
	if c.Privileged() {
		return cap.Known()
	}
	var opts []oci.SpecOpts
	if s := c.Security; s != nil && s.Capabilities != nil {
		add, drop := names(s.Capabilities.Add), names(s.Capabilities.Drop)
		if slices.Contains(add, "CAP_ALL") {
			opts = append(opts, oci.WithCapabilities(cap.Known()))
		}
		if slices.Contains(drop, "CAP_ALL") {
			opts = append(opts, oci.WithCapabilities(nil))
		}
		opts = append(opts, oci.WithAddedCapabilities(add), oci.WithDroppedCapabilities(drop))
	}
	ctx := namespaces.WithNamespace(context.Background(), "k8s.io")
	spec, err := oci.GenerateSpec(ctx, nil, &containers.Container{ID: "pod"}, opts...)
	if err != nil || spec.Process == nil || spec.Process.Capabilities == nil {
		return nil
	}
	return slices.DeleteFunc(spec.Process.Capabilities.Bounding, func(c string) bool { return c == "CAP_ALL" })
}

func names(caps []corev1.Capability) (out []string) {
	for _, c := range caps {
		out = append(out, "CAP_"+strings.TrimPrefix(strings.ToUpper(string(c)), "CAP_"))
	}
	return out
}
