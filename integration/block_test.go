package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// TestBlock: batten block closes a call to each container that starts from then on, and names
// those that run and let it through by the filters that the kernel holds: one without a filter and
// one of the stock shim, and not the one that RuntimeDefault or another filter closes it to.
// batten unblock opens it to the next.
func TestBlock(t *testing.T) {
	n := node.Start(t, newest)
	setPolicy(t, n, `version: 1
rules:
- {name: free, match: {containerdNamespace: [moby]}, absent: Unconfined}
`)
	batten := func(args ...string) string {
		t.Helper()
		out, err := n.Command(append([]string{filepath.Join(node.Root(), "bin", "batten")}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("batten %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	start := func(id, runtime, namespace string, spec ...oci.SpecOpts) {
		t.Helper()
		c, err := n.Start(node.Run{ID: id, Runtime: runtime, Namespace: namespace, Spec: spec})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Remove)
	}
	free := node.Run{Runtime: node.Batten, Namespace: "moby", Args: []string{"/probe", "call", "getpid", "keyctl", "i386_keyctl"}}
	open, closed := calls("getpid", "OK", "keyctl", "OK", "i386_keyctl", "OK"), calls("getpid", "OK", "keyctl", "EACCES", "i386_keyctl", "EACCES")
	if got := n.Output(free); got != open {
		t.Fatalf("before: got\n%swant\n%s", got, open)
	}
	start("unfiltered", node.Batten, "moby")
	start("bypassing", node.Stock, "")
	start("default", node.Batten, "")
	start("filtered", node.Batten, "", node.WithSeccomp(denyKeys()))

	said := batten("block", "--errno", "EACCES", "--name", "no-keys", "keyctl")
	for _, want := range []string{
		"/etc/batten/policy.d/no-keys.yaml: no container that starts through Batten from now on can make keyctl\n",
		"running: 3 containers of 4 not proved to be closed; restart these:\n",
		"  moby/unfiltered: runs with no filter\n",
		"  test/filtered: looser than the node's mandatory floors: keyctl(",
		"/bypassing: bypasses Batten, and runs with no filter\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("batten block says\n%swithout\n%s", said, want)
		}
	}
	if strings.Contains(said, "/default") {
		t.Errorf("batten block names a container that cannot make the call:\n%s", said)
	}
	if got := n.Output(free); got != closed {
		t.Errorf("blocked: got\n%swant\n%s", got, closed)
	}
	start("later", node.Batten, "moby")
	var answer struct {
		Open []struct {
			ID string `json:"id"`
		} `json:"open"`
		Closed int `json:"closed"`
	}
	if err := json.Unmarshal([]byte(batten("block", "--json", "--errno", "EACCES", "--name", "no-keys", "keyctl")), &answer); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range answer.Open {
		ids = append(ids, c.ID)
	}
	if slices.Sort(ids); !slices.Equal(ids, []string{"bypassing", "filtered", "unfiltered"}) || answer.Closed != 2 {
		t.Errorf("open are %q, %d are closed", ids, answer.Closed)
	}
	if said := batten("unblock", "no-keys"); !strings.Contains(said, "removed; 1 running container that started under it") {
		t.Errorf("batten unblock says %s", said)
	}
	if got := n.Output(free); got != open {
		t.Errorf("unblocked: got\n%swant\n%s", got, open)
	}
	if left, err := os.ReadDir(filepath.Join(n.Etc, "policy.d")); err != nil || len(left) != 0 {
		t.Errorf("left are %v (%v)", left, err)
	}
}
