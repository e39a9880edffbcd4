package bypass

import (
	"context"
	"strings"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// The policy excepts one container of one pod, and pods that carry a label which
// only the right people may set.
const exceptions = `version: 1
rules:
- {name: agent, match: {pod: {namespace: [monitoring], name: ["agent-*"]}, container: [agent]}, absent: Unconfined}
- {name: labelled, match: {containerdNamespace: [moby], annotations: {example.com/debug: ["yes"]}}, absent: Unconfined}
`

// claims is a container that says to be CRI's, in a containerd namespace.
func claims(namespace string, annotations map[string]string) func(*attempt) string {
	return under(exceptions, func(a *attempt) string {
		return a.run(node.Run{Namespace: namespace, Spec: []oci.SpecOpts{withAnnotations(annotations)}})
	})
}

func withAnnotations(annotations map[string]string) oci.SpecOpts {
	return func(_ context.Context, _ oci.Client, _ *containers.Container, s *oci.Spec) error {
		s.Annotations = annotations
		return nil
	}
}

// agent is what CRI writes for the excepted container, with one field changed.
func agent(field, value string) map[string]string {
	out := map[string]string{"container-type": "container", "sandbox-namespace": "monitoring", "sandbox-name": "agent-1", "container-name": "agent"}
	out[field] = value
	full := make(map[string]string)
	for k, v := range out {
		full["io.kubernetes.cri."+k] = v
	}
	return full
}

func debug(key, value string) func(*attempt) string {
	return claims("moby", map[string]string{key: value})
}

var matchingRows = []row{
	{"CRI's annotations in another containerd namespace", claims("moby", agent("container-name", "agent")), "OK", "EPERM", stopped, ""},
	{"a sandbox with the container's name", claims("k8s.io", agent("container-type", "sandbox")), "OK", "EPERM", stopped, ""},
	{"no type", claims("k8s.io", agent("container-type", "")), "OK", "EPERM", stopped, ""},
	{"a type in capitals", claims("k8s.io", agent("container-type", "Container")), "OK", "EPERM", stopped, ""},
	{"a Cyrillic letter in the name", claims("k8s.io", agent("container-name", "\u0430gent")), "OK", "EPERM", stopped, ""},
	{"capitals in the name", claims("k8s.io", agent("container-name", "Agent")), "OK", "EPERM", stopped, ""},
	{"a line more in the name", claims("k8s.io", agent("container-name", "agent\n")), "OK", "EPERM", stopped, ""},
	{"a NUL in the name", claims("k8s.io", agent("container-name", "agent\x00x")), "OK", "EPERM", stopped, ""},
	{"an empty name", claims("k8s.io", agent("container-name", "")), "OK", "EPERM", stopped, ""},
	{"a glob for a name", claims("k8s.io", agent("container-name", "*")), "OK", "EPERM", stopped, ""},
	{"a class for a pod namespace", claims("k8s.io", agent("sandbox-namespace", "[m]onitoring")), "OK", "EPERM", stopped, ""},
	{"a path for a pod name", claims("k8s.io", agent("sandbox-name", "agent-1/../x")), "OK", "EPERM", stopped, ""},
	{"a pod name without the prefix's end", claims("k8s.io", agent("sandbox-name", "agent")), "OK", "EPERM", stopped, ""},
	{"a name of a megabyte", claims("k8s.io", agent("container-name", "agent"+strings.Repeat("x", 1<<20))), "OK", "EPERM", stopped, ""},
	{"a combining mark", claims("k8s.io", agent("sandbox-namespace", "monitoring\u0301")), "OK", "EPERM", stopped, ""},
	{"an annotation's value in other letters", debug("example.com/debug", "\uff59es"), "OK", "EPERM", stopped, ""},
	{"an annotation's key with a space", debug("example.com/debug ", "yes"), "OK", "EPERM", stopped, ""},
	{"an annotation's key in capitals", debug("example.com/Debug", "yes"), "OK", "EPERM", stopped, ""},
	{"an annotation twice", under(exceptions, edited(func(s string) string {
		return annotated("example.com/debug", `"no","example.com/debug":"yes"`)(s)
	})), "OK", `refused: key "example.com/debug" occurs twice in annotations`, stopped, ""},
	{"the exception itself, by who speaks to the socket", claims("k8s.io", agent("container-name", "agent")), "OK", "OK", limit, "can write the annotations that CRI would"},
	{"the annotation itself, by who makes the container", debug("example.com/debug", "yes"), "OK", "OK", limit, "Annotations other than CRI's are the word of who makes the container"},
}
