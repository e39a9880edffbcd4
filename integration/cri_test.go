package integration

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// kubernetes are the daemons that today's kubelets are used with.
var kubernetes = []string{newest, "containerd-2.2", "containerd-1.7"}

// handlers are the ways to Batten beside a stock default.
func handlers(t *testing.T) []node.Handler {
	return []node.Handler{
		{Name: "runc", Type: node.Stock},
		{Name: "batten", Type: node.Batten},
		{Name: "path", Type: node.Stock, Path: node.Shim(t)},
		{Name: "strict", Type: node.Batten, Options: []string{`Policy = "/etc/batten/strict.yaml"`}},
		{Name: "passing", Type: node.Batten, PodAnnotations: []string{"*", "io.kubernetes.cri.*"}},
	}
}

// security is a container's securityContext, by the kind of seccomp profile.
func security(kind cri.SecurityProfile_ProfileType, localhost string) *cri.LinuxContainerSecurityContext {
	return &cri.LinuxContainerSecurityContext{Seccomp: &cri.SecurityProfile{ProfileType: kind, LocalhostRef: localhost}}
}

// pods is the pod matrix: what each container has under a stock handler.
var pods = []struct {
	name, stockMode string
	security        func(localhost string) *cri.LinuxContainerSecurityContext
	stock, batten   string // what keyctl, bpf say
}{
	{
		name: "plain", stockMode: "0",
		security: func(string) *cri.LinuxContainerSecurityContext { return nil },
		stock:    "OK EINVAL", batten: "EPERM EPERM",
	},
	{name: "privileged", stockMode: "0", security: func(string) *cri.LinuxContainerSecurityContext {
		return &cri.LinuxContainerSecurityContext{Privileged: true}
	}, stock: "OK EINVAL", batten: "EPERM EINVAL"},
	{name: "unconfined", stockMode: "0", security: func(string) *cri.LinuxContainerSecurityContext {
		return security(cri.SecurityProfile_Unconfined, "")
	}, stock: "OK EINVAL", batten: "EPERM EPERM"},
	{name: "runtime-default", stockMode: "2", security: func(string) *cri.LinuxContainerSecurityContext {
		return security(cri.SecurityProfile_RuntimeDefault, "")
	}, stock: "EPERM EPERM", batten: "EPERM EPERM"},
	{name: "localhost", stockMode: "2", security: func(file string) *cri.LinuxContainerSecurityContext {
		return security(cri.SecurityProfile_Localhost, file)
	}, stock: "OK EINVAL", batten: "OK EINVAL"},
	{name: "no-new-privs", stockMode: "0", security: func(string) *cri.LinuxContainerSecurityContext {
		return &cri.LinuxContainerSecurityContext{NoNewPrivs: true}
	}, stock: "OK EINVAL", batten: "EPERM EPERM"},
}

// checkPod runs the matrix as one pod of a handler.
func checkPod(t *testing.T, n *node.Node, handler string, batten bool) {
	t.Helper()
	localhost := filepath.Join(n.Dir, "localhost.json")
	writeFile(t, localhost, `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [{"names": ["add_key"], "action": "SCMP_ACT_ERRNO"}]}`)
	pod, err := n.RunPod(handler, "default", "matrix", nil)
	if err != nil {
		t.Fatal(err)
	}
	wantMode := func(what, id, stockMode string) {
		t.Helper()
		want := stockMode
		if batten {
			want = "2"
		}
		if mode, filters := pod.Seccomp(id); mode != want || (mode == "2") != (filters == "1") {
			t.Errorf("%s: Seccomp: %s with %s filters, want %s", what, mode, filters, want)
		}
	}
	wantMode("pause", "", "0")
	init, err := pod.Run("init", nil, "/bin/true")
	if err != nil || pod.ExitStatus(init) != 0 {
		t.Errorf("an init container: %v", err)
	}
	for _, tt := range pods {
		id, err := pod.Run(tt.name, tt.security(localhost))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		wantMode(tt.name, id, tt.stockMode)
		want := tt.stock
		if batten {
			want = tt.batten
		}
		keyctl, bpf, _ := strings.Cut(want, " ")
		out, err := pod.Exec(id, "/probe", "call", "getpid", "keyctl", "bpf")
		if want := calls("getpid", "OK", "keyctl", keyctl, "bpf", bpf); out != want || err != nil {
			t.Errorf("%s: an exec wrote (%v)\n%swant\n%s", tt.name, err, out, want)
		}
	}
	pod.Remove()
}

// TestPods: pause, plain, privileged, unconfined, RuntimeDefault, Localhost,
// by a RuntimeClass's handler and as the node's default, by both ways.
func TestPods(t *testing.T) {
	for _, engine := range kubernetes {
		t.Run(engine, func(t *testing.T) {
			n := node.Start(t, engine, node.WithHandlers(handlers(t)...))
			t.Run("stock", func(t *testing.T) { checkPod(t, n, "", false) })
			t.Run("handler", func(t *testing.T) { checkPod(t, n, "batten", true) })
			t.Run("handler by path", func(t *testing.T) { checkPod(t, n, "path", true) })
			n.Restart(node.Handler{Name: "runc", Type: node.Batten})
			t.Run("default by type", func(t *testing.T) { checkPod(t, n, "", true) })
			n.Restart(node.Handler{Name: "runc", Type: node.Stock, Path: node.Shim(t), Options: []string{`Root = "/run/elsewhere"`}})
			t.Run("default by path", func(t *testing.T) { checkPod(t, n, "", true) })
		})
	}
}

// TestFirstExamples: the two pods and the profile that users start from.
func TestFirstExamples(t *testing.T) {
	for _, engine := range kubernetes {
		t.Run(engine, func(t *testing.T) {
			n := node.Start(t, engine, node.WithHandlers(handlers(t)...))
			file := filepath.Join(n.Dir, "restricted-seccomp.json")
			writeFile(t, file, profileFixture(t, "restricted-seccomp.json"))
			for _, handler := range []string{"runc", "batten"} {
				pod, err := n.RunPod(handler, "default", "secure-pod", nil)
				if err != nil {
					t.Fatal(err)
				}
				id, err := pod.Run("app-container", security(cri.SecurityProfile_RuntimeDefault, ""))
				if err != nil {
					t.Fatalf("%s: RuntimeDefault does not run: %v", handler, err)
				}
				if mode, _ := pod.Seccomp(id); mode != "2" {
					t.Errorf("%s: RuntimeDefault: Seccomp: %s", handler, mode)
				}
				id, err = pod.Run("app-container-2", security(cri.SecurityProfile_Localhost, file), "/probe", "call", "getpid")
				if handler == "batten" {
					wantError(t, "the four calls", err, "its seccomp profile cannot start any container: it denies close, execve, ")
				} else if err == nil && pod.ExitStatus(id) == 0 {
					t.Errorf("%s: four calls are enough to start a container", handler)
				}
				pod.Remove()
			}
		})
	}
}
