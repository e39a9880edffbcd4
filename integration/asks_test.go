package integration

import (
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// markRuntimeDefault sets a policy whose RuntimeDefault has getpid fail with EXDEV, as no engine's
// default has it.
func markRuntimeDefault(t *testing.T, n *node.Node) {
	t.Helper()
	setPolicy(t, n, "version: 1\nruntimeDefault: marked\nabsent: Unconfined\nprofiles: {marked: {from: builtin, deny: [{names: [getpid], errno: EXDEV}]}}\n")
}

// getpidOf is what a container says of getpid that gets the node's RuntimeDefault, or not.
func getpidOf(asks bool) string {
	if asks {
		return calls("getpid", "EXDEV")
	}
	return calls("getpid", "OK")
}

// wantAsks checks that a container which gets the engine's own default gets the node's
// RuntimeDefault, and one that gets another filter keeps it.
func wantAsks(t *testing.T, n *node.Node, standard, another func() string) {
	t.Helper()
	markRuntimeDefault(t, n)
	if out := standard(); out != getpidOf(true) {
		t.Errorf("under the engine's default profile a container wrote %s", out)
	}
	if out := another(); out != getpidOf(false) {
		t.Errorf("under another profile a container wrote %s", out)
	}
}

// TestAsks: what each containerd makes of RuntimeDefault is known to be that, of containers with
// capabilities and without, and gets the node's.
func TestAsks(t *testing.T) {
	for _, engine := range append(kubernetes, "debian") {
		t.Run(engine, func(t *testing.T) {
			n := node.Start(t, engine, node.WithHandlers(handlers(t)...))
			markRuntimeDefault(t, n)
			pod, err := n.RunPod("batten", "default", "asks", nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pod.Drop)
			file := profileFile(t, n)
			for _, tt := range []struct {
				name     string
				security *cri.LinuxContainerSecurityContext
				change   func(*cri.LinuxContainerSecurityContext)
				asks     bool
			}{
				{name: "default", security: security(cri.SecurityProfile_RuntimeDefault, ""), asks: true},
				{
					name: "admin", security: security(cri.SecurityProfile_RuntimeDefault, ""), asks: true,
					change: func(s *cri.LinuxContainerSecurityContext) {
						s.Capabilities = &cri.Capability{AddCapabilities: []string{"SYS_ADMIN", "BPF", "SYS_TIME"}, DropCapabilities: []string{"SYS_CHROOT"}}
					},
				},
				{
					name: "no-capabilities", security: security(cri.SecurityProfile_RuntimeDefault, ""), asks: true,
					change: func(s *cri.LinuxContainerSecurityContext) {
						s.Capabilities = &cri.Capability{DropCapabilities: []string{"ALL"}}
					},
				},
				{name: "localhost", security: security(cri.SecurityProfile_Localhost, file)},
				{name: "unconfined", security: security(cri.SecurityProfile_Unconfined, "")},
			} {
				if tt.change != nil {
					tt.change(tt.security)
				}
				id, err := pod.Run(tt.name, tt.security)
				if err != nil {
					t.Fatalf("%s: %v", tt.name, err)
				}
				if out, err := pod.Exec(id, "/probe", "call", "getpid"); err != nil || out != getpidOf(tt.asks) {
					t.Errorf("%s: %v: it wrote %s", tt.name, err, out)
				}
			}
		})
	}
}

// profileFile writes a profile that is no engine's default.
func profileFile(t *testing.T, n *node.Node) string {
	t.Helper()
	file := n.Dir + "/no-keys.json"
	writeFile(t, file, `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO"}]}`)
	return file
}
