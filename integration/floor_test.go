package integration

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestFloor: a pod brings a profile that allows keyctl and every clone; the
// node's floor does not. In the container the floor's calls fail as the floor
// says and all others as the profile does; under a stock handler only the
// profile counts. batten verify proves it of the filter that the kernel holds,
// and refutes it when the policy asks for more.
func TestFloor(t *testing.T) {
	args := []string{"/probe", "call", "getpid", "keyctl", "add_key", "bpf", "clone", "clone_newuts"}
	n := node.Start(t, newest, node.WithHandlers(handlers(t)...))
	setPolicy(t, n, `version: 1
floor: baseline
profiles:
  baseline:
    inline:
      defaultAction: SCMP_ACT_ALLOW
      syscalls:
      - {names: [keyctl], action: SCMP_ACT_ERRNO, errnoRet: 95}
      - {names: [clone], action: SCMP_ACT_ERRNO, errnoRet: 95, args: [{index: 0, value: 0x04000000, valueTwo: 0x04000000, op: SCMP_CMP_MASKED_EQ}]}
`)
	localhost := filepath.Join(n.Dir, "localhost.json")
	writeFile(t, localhost, `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["add_key"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}`)
	for handler, want := range map[string]string{
		"runc":   calls("getpid", "OK", "keyctl", "OK", "add_key", "EPERM", "bpf", "EINVAL", "clone", "OK", "clone_newuts", "OK"),
		"batten": calls("getpid", "OK", "keyctl", "EOPNOTSUPP", "add_key", "EPERM", "bpf", "EINVAL", "clone", "OK", "clone_newuts", "EOPNOTSUPP"),
	} {
		pod, err := n.RunPod(handler, "default", "floor", nil)
		if err != nil {
			t.Fatal(err)
		}
		brings := security(cri.SecurityProfile_Localhost, localhost)
		brings.Capabilities = &cri.Capability{AddCapabilities: []string{"SYS_ADMIN"}}
		id, err := pod.Run("main", brings)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := pod.Exec(id, args...); err != nil || out != want {
			t.Errorf("%s: got (%v)\n%swant\n%s", handler, err, out, want)
		}
		if handler == "batten" {
			verifyFloor(t, n, id)
		}
		pod.Remove()
	}
}

func verifyFloor(t *testing.T, n *node.Node, id string) {
	t.Helper()
	batten := filepath.Join(node.Root(), "bin", "batten")
	out, err := n.Command(batten, "verify", id).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "proved, 1 filter as strict as its record and today's policy") {
		t.Errorf("batten verify: %s (%v)", out, err)
	}
	setPolicy(t, n, "version: 1\nfloor: RuntimeDefault\n")
	out, err = n.Command(batten, "verify", id).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "looser than today's policy: ") {
		t.Errorf("batten verify under a stricter policy: %s (%v)", out, err)
	}
}
