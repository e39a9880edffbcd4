package manifest_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestNestedCalls(t *testing.T) {
	for image, want := range map[string]string{
		"docker:dind":                          "[keyctl pivot_root]",
		"docker.io/library/docker:27.3-dind":   "[keyctl pivot_root]",
		"registry.local:5000/docker:24-dind":   "[]",
		"docker:27-cli":                        "[]",
		"kindest/node:v1.31@sha256:abc":        "[keyctl pivot_root]",
		"quay.io/buildah/stable":               "[keyctl pivot_root]",
		"quay.io/containers/podman:v5":         "[keyctl pivot_root]",
		"example.com/mirror/quay/buildah/node": "[]",
		"nginx":                                "[]",
	} {
		if got := fmt.Sprint(podOf(t, "{containers: [{name: c, image: '"+image+"'}]}").Containers()[0].NestedCalls()); got != want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
	const says = "its image starts containers, for which RuntimeDefault, what a privileged container gets under Batten, denies keyctl and pivot_root: deploy/policies/nested.yaml has a rule for it"
	text := strings.Replace(pod("", "    securityContext: {privileged: true}\n"), "image: i", "image: docker:dind", 1)
	if got := texts(lint(t, text, node)); !strings.Contains(got, says) {
		t.Errorf("got %s\nwant %s", got, says)
	}
	if got := texts(lint(t, pod("", "    securityContext: {privileged: true}\n"), node)); strings.Contains(got, "keyctl") {
		t.Errorf("another image: %s", got)
	}
}
