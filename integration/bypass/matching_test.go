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
	{
		name: "CRI's annotations in another containerd namespace",
		try:  claims("moby", agent("container-name", "agent")), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "a sandbox with the container's name",
		try:  claims("k8s.io", agent("container-type", "sandbox")), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "no type", try: claims("k8s.io", agent("container-type", "")), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a type in capitals", try: claims("k8s.io", agent("container-type", "Container")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "a Cyrillic letter in the name",
		try:  claims("k8s.io", agent("container-name", "\u0430gent")), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "capitals in the name", try: claims("k8s.io", agent("container-name", "Agent")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "a line more in the name", try: claims("k8s.io", agent("container-name", "agent\n")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "a NUL in the name", try: claims("k8s.io", agent("container-name", "agent\x00x")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "an empty name", try: claims("k8s.io", agent("container-name", "")), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a glob for a name", try: claims("k8s.io", agent("container-name", "*")), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a class for a pod namespace",
		try:  claims("k8s.io", agent("sandbox-namespace", "[m]onitoring")), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a path for a pod name", try: claims("k8s.io", agent("sandbox-name", "agent-1/../x")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "a pod name without the prefix's end",
		try:  claims("k8s.io", agent("sandbox-name", "agent")), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name:  "a name of a megabyte",
		try:   claims("k8s.io", agent("container-name", "agent"+strings.Repeat("x", 1<<20))),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "a combining mark",
		try:  claims("k8s.io", agent("sandbox-namespace", "monitoring\u0301")), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "an annotation's value in other letters", try: debug("example.com/debug", "\uff59es"),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "an annotation's key with a space", try: debug("example.com/debug ", "yes"),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "an annotation's key in capitals", try: debug("example.com/Debug", "yes"),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{name: "an annotation twice", try: under(exceptions, edited(func(s string) string {
		return annotated("example.com/debug", `"no","example.com/debug":"yes"`)(s)
	})), stock: "OK", batten: `refused: key "example.com/debug" occurs twice in annotations`, end: stopped, why: ""},
	{
		name: "the exception itself, by who speaks to the socket",
		try:  claims("k8s.io", agent("container-name", "agent")), stock: "OK", batten: "OK",
		end: limit, why: "can write the annotations that CRI would",
	},
	{
		name: "the annotation itself, by who makes the container",
		try:  debug("example.com/debug", "yes"), stock: "OK", batten: "OK", end: limit,
		why: "Annotations other than CRI's are the word of who makes the container",
	},
}
