package manifesttest

import "slices"

// RefusedPod is a pod with what the API server says of it.
type RefusedPod struct {
	Name, Text string
	// Why is what Batten says of a pod that the API server refuses; empty for one that it
	// takes.
	Why string
}

// Refused returns pods that the API server refuses for what they ask of seccomp, and pods
// beside them that it takes.
func Refused() []RefusedPod {
	return slices.Concat(types(), files(), places())
}

const (
	relative = "localhostProfile is relative to the kubelet's seccomp root, /root, and does not leave it"
	windows  = "a seccompProfile on a pod for Windows: the API server refuses it; leave it out"
)

// pod returns a manifest with fields of the pod and the securityContext of its container.
func pod(spec, security string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: refused}\nspec:\n" + spec +
		"  containers:\n  - {name: c, image: i, securityContext: " + security + "}\n"
}

func podAsks(profile string) string {
	return "  securityContext: {seccompProfile: " + profile + "}\n"
}

func asks(profile string) string { return "{seccompProfile: " + profile + "}" }

// types returns pods that ask for a type, known or not.
func types() []RefusedPod {
	return []RefusedPod{
		{Name: "default", Text: pod(podAsks("{type: RuntimeDefault}"), "{}")},
		{Name: "no profile", Text: pod("", "{}")},
		{
			Name: "unknown type", Text: pod(podAsks("{type: Bogus}"), "{}"),
			Why: `there is no type "Bogus": the API server refuses it; write RuntimeDefault, Localhost or Unconfined`,
		},
		{
			Name: "type in another case", Text: pod("", asks("{type: runtimeDefault}")),
			Why: `container c: there is no type "runtimeDefault": the API server refuses it; did you mean "RuntimeDefault"?`,
		},
		{
			Name: "no type", Text: pod("", asks("{}")),
			Why: "container c: a seccompProfile without a type: the API server refuses it; write type: RuntimeDefault, Localhost or Unconfined",
		},
		{
			Name: "privileged with an unknown type", Text: pod("", "{privileged: true, seccompProfile: {type: Bogus}}"),
			Why: `container c: there is no type "Bogus": the API server refuses it; write RuntimeDefault, Localhost or Unconfined`,
		},
		{Name: "privileged with a profile", Text: pod("", "{privileged: true, seccompProfile: {type: RuntimeDefault}}")},
		{
			Name: "privileged with a path that goes up", Text: pod("", "{privileged: true, seccompProfile: {type: Localhost, localhostProfile: ../..}}"),
			Why: `container c: the API server refuses "../..": ` + relative,
		},
	}
}

// files returns pods that name a file, with and without the type for it.
func files() []RefusedPod {
	return []RefusedPod{
		{
			Name: "file beside RuntimeDefault", Text: pod(podAsks("{type: RuntimeDefault, localhostProfile: a.json}"), "{}"),
			Why: "localhostProfile beside type RuntimeDefault: the API server refuses it; write type: Localhost, or leave localhostProfile out",
		},
		{
			Name: "file beside Unconfined, which undoes the pod's", Text: pod(podAsks("{type: RuntimeDefault}"), asks("{type: Unconfined, localhostProfile: a.json}")),
			Why: "container c: localhostProfile beside type Unconfined: the API server refuses it; write type: Localhost, or leave localhostProfile out",
		},
		{Name: "file", Text: pod(podAsks("{type: Localhost, localhostProfile: a/b.json}"), "{}")},
		{Name: "file behind a dot", Text: pod(podAsks("{type: Localhost, localhostProfile: ./a..b.json}"), "{}")},
		{
			Name: "no file", Text: pod(podAsks("{type: Localhost}"), "{}"),
			Why: "type Localhost without localhostProfile: the API server refuses it; name a file below /root",
		},
		{Name: "an empty file name, which the kubelet refuses", Text: pod(podAsks("{type: Localhost, localhostProfile: ''}"), "{}")},
		{
			Name: "absolute path", Text: pod(podAsks("{type: Localhost, localhostProfile: /a.json}"), "{}"),
			Why: `the API server refuses "/a.json": ` + relative,
		},
		{
			Name: "path that goes up and down", Text: pod(podAsks("{type: Localhost, localhostProfile: a/../b.json}"), "{}"),
			Why: `the API server refuses "a/../b.json": ` + relative,
		},
	}
}

// places returns pods that ask elsewhere: in an init container, for Windows.
func places() []RefusedPod {
	return []RefusedPod{
		{
			Name: "init container", Text: pod("  initContainers: [{name: i, image: i, securityContext: {seccompProfile: {type: Bogus}}}]\n", "{}"),
			Why: `container i: there is no type "Bogus": the API server refuses it; write RuntimeDefault, Localhost or Unconfined`,
		},
		{Name: "Windows", Text: pod("  os: {name: windows}\n", "{}")},
		{Name: "Windows, with a profile", Text: pod("  os: {name: windows}\n"+podAsks("{type: RuntimeDefault}"), "{}"), Why: windows},
		{Name: "Windows, with a container's profile", Text: pod("  os: {name: windows}\n", asks("{type: Unconfined}")), Why: windows},
		{Name: "Windows by nodeSelector, with a profile", Text: pod("  nodeSelector: {kubernetes.io/os: windows}\n"+podAsks("{type: RuntimeDefault}"), "{}")},
		{
			Name: "Windows by nodeSelector, with an unknown type", Text: pod("  nodeSelector: {kubernetes.io/os: windows}\n"+podAsks("{type: Bogus}"), "{}"),
			Why: `there is no type "Bogus": the API server refuses it; write RuntimeDefault, Localhost or Unconfined`,
		},
		{Name: "Linux by name, with a profile", Text: pod("  os: {name: linux}\n"+podAsks("{type: RuntimeDefault}"), "{}")},
	}
}
