package status

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/spec"
)

// OlderPod is a pod whose sandbox a stock shim made. containerd 2.x has all later containers
// of a pod made by its sandbox's shim, whatever its handler says now, and containerd 1.x
// has them made with the sandbox's runtime. So they bypass Batten for as long as the pod
// lives, but where containerd 1.7 asks the handler's runtime_path.
type OlderPod struct {
	// ID is the sandbox's. Namespace and Name are the pod's, empty where unknown.
	ID        string `json:"id"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Shim is the shim's pid.
	Shim int `json:"shim"`
}

// OlderPods returns the pods that stock shims hold, in the order of their names. It does
// not know why: a pod is older than the installation, or its RuntimeClass names a handler
// that bypasses Batten. Later containers may bypass Batten either way.
func OlderPods(processes map[int]procfs.Process) (out []OlderPod) {
	f := finder{processes: processes, host: host(processes), owner: make(map[int]int)}
	for _, p := range processes {
		// A container's process may call itself a shim, and keep a reader of its
		// command line waiting.
		if f.headOf(p.Pid, 0) != 0 || !isStockShim(p) || callsWrapper(p) {
			continue
		}
		pod := OlderPod{ID: option(p.Args(), "-id", "--id"), Shim: p.Pid}
		if s, err := spec.Load(p.Dir); err == nil {
			pod.Namespace = kubernetesName(s.Annotations["io.kubernetes.cri.sandbox-namespace"])
			pod.Name = kubernetesName(s.Annotations["io.kubernetes.cri.sandbox-name"])
		}
		out = append(out, pod)
	}
	slices.SortFunc(out, func(a, b OlderPod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// isStockShim reports whether the process is the server of containerd's runc shim, for a
// pod. A "start" or "delete", which ends at once, has that word as its last argument. The
// process's name is that of its file: a link named containerd-shim-runc-v2 may lead to
// Batten's shim.
func isStockShim(p procfs.Process) bool {
	if !strings.HasPrefix(p.Name, "containerd-shim-runc-") {
		return false
	}
	args := p.Args()
	last := ""
	if len(args) > 0 {
		last = args[len(args)-1]
	}
	id := option(args, "-id", "--id")
	return option(args, "-namespace", "--namespace") == names.CRINamespace &&
		id != "" && filepath.Base(p.Dir) == id && last != "start" && last != "delete"
}

// callsWrapper reports whether the shim calls batten-runc as its runtime, by what the
// shim has written into the bundle.
func callsWrapper(p procfs.Process) bool {
	binary, err := os.ReadFile(filepath.Join(p.Dir, "runtime"))
	return err == nil && filepath.Base(strings.TrimSpace(string(binary))) == names.Wrapper
}

var kubernetesNames = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)

// kubernetesName returns s if it is a name as Kubernetes has them, else "": names are
// handed to kubectl.
func kubernetesName(s string) string {
	if !kubernetesNames.MatchString(s) {
		return ""
	}
	return s
}
