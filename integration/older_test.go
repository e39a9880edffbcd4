package integration

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestOlderPods: Batten becomes the node's default while a pod runs. The pod's later
// containers go to the pod's stock shim, unfiltered, but on containerd 1.7, which
// asks the handler's shim. batten status names the pod and does not call the node safe until
// the pod is gone.
func TestOlderPods(t *testing.T) {
	on(t, append(kubernetes, "debian"), func(t *testing.T, n *node.Node) {
		pod, err := n.RunPod("", "default", "older", nil)
		if err != nil {
			t.Fatal(err)
		}
		status := func(args ...string) (string, int) {
			t.Helper()
			cmd := n.Command(append([]string{"batten", "status", "--containerd", n.Config()}, args...)...)
			out, err := cmd.Output()
			if _, exited := err.(*exec.ExitError); err != nil && !exited {
				t.Fatal(err)
			}
			return string(out), cmd.ProcessState.ExitCode()
		}
		mode := func(name, want string) {
			t.Helper()
			var id string
			n.Eventually(10*time.Second, name, func() (err error) { // CRI may still be starting
				id, err = pod.Run(name, security(cri.SecurityProfile_Unconfined, ""))
				return err
			})
			if got, _ := pod.Seccomp(id); got != want {
				t.Errorf("%s: Seccomp: %s, want %s", name, got, want)
			}
		}
		mode("before", "0")
		wrapped(t, n, n.Runtime())
		install := []string{"batten", "install", "--containerd", "--default", "--config", n.Config()}
		const note = "note: 1 pod has a shim that is not Batten's: their later containers may bypass Batten until the pods are deleted; batten status --older-pods lists them\n"
		for _, args := range [][]string{append(install, "--dry-run"), install} {
			if out := output(t, "install", n.Command(args...)); !strings.HasSuffix(out, note) {
				t.Errorf("%q says\n%s\nwant\n%s", args, out, note)
			}
		}
		n.Reload()
		later := "0"
		if n.Engine.Name == "containerd-1.7" {
			later = "2" // it asks the handler's runtime_path for each container
		}
		mode("later", later)
		const told = "1 pod has a shim that is not Batten's. Later containers of such a pod (restarts, init containers, kubectl debug) may bypass Batten until the pod is deleted:\n  default/older ("
		if out, exit := status(); exit != 1 || !strings.Contains(out, told) {
			t.Errorf("batten status exits with %d and says\n%s\nwant\n%s", exit, out, told)
		}
		if out, exit := status("--older-pods"); exit != 0 || out != "default older\n" {
			t.Errorf("batten status --older-pods exits with %d and says\n%s", exit, out)
		}
		pod.Remove()
		if pod, err = n.RunPod("", "default", "newer", nil); err != nil {
			t.Fatal(err)
		}
		mode("newer", "2")
		if out, exit := status(); exit != 0 || strings.Contains(out, "not Batten's") {
			t.Errorf("without the pod batten status exits with %d and says\n%s", exit, out)
		}
		pod.Remove()
	})
}
