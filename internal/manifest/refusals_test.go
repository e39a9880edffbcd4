package manifest_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/internal/manifest/manifesttest"
)

// TestRefusals: why the API server refuses a pod, which integration/kubernetes asks it.
func TestRefusals(t *testing.T) {
	for _, tt := range manifesttest.Refused() {
		t.Run(tt.Name, func(t *testing.T) {
			objects, err := manifest.Parse("f", []byte(tt.Text))
			if err != nil {
				t.Fatal(err)
			}
			pods, _, err := objects[0].Pods()
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(pods[0].Refusals("/root"), "\n"); got != tt.Why {
				t.Errorf("got  %q\nwant %q", got, tt.Why)
			}
		})
	}
}

// A type that there is not has its own finding, and Pod Security does not repeat it.
func TestPodSecurityKnownTypes(t *testing.T) {
	env := node
	env.PodSecurity = "baseline"
	text := pod("  hostNetwork: true\n", "    securityContext: {privileged: false, seccompProfile: {type: Bogus}}\n")
	want := `manifest "f":9:65: spec.containers[0].securityContext.seccompProfile.type: Pod/p: container c: there is no type "Bogus": the API server refuses it; write RuntimeDefault, Localhost or Unconfined
manifest "f":5:3: warning: spec: Pod/p: a namespace with Pod Security "baseline" refuses it: host namespaces (hostNetwork=true)`
	if got := texts(lint(t, text, env)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
