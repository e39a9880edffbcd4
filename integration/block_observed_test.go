package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestBlockRunningObserved: in containers whose denials are counted, or that are only audited,
// what is started after batten block --running cannot make the calls either.
func TestBlockRunningObserved(t *testing.T) {
	n := node.Start(t, newest)
	setPolicy(t, n, `version: 1
denials: Count
rules:
- {name: audited, match: {containerdNamespace: [moby]}, mode: Audit}
`)
	batten := filepath.Join(node.Root(), "bin", "batten")
	probe := []string{"/probe", "call", "getpid", "alg", "i386_alg", "socketcall_alg", "keyctl"}
	for _, tt := range []struct{ id, namespace, before, after string }{
		{
			"counted", "test", calls("getpid", "OK", "alg", "EPERM", "i386_alg", "EPERM", "socketcall_alg", "OK", "keyctl", "EPERM"),
			// No rule on socketcall can notify of some sockets and deny others: all of them fail.
			calls("getpid", "OK", "alg", "EPERM", "i386_alg", "EPERM", "socketcall_alg", "ENOSYS", "keyctl", "EPERM"),
		},
		{
			"audited", "moby", calls("getpid", "OK", "alg", "OK", "i386_alg", "OK", "socketcall_alg", "OK", "keyctl", "OK"),
			calls("getpid", "OK", "alg", "EPERM", "i386_alg", "EPERM", "socketcall_alg", "EPERM", "keyctl", "OK"),
		},
	} {
		t.Run(tt.id, func(t *testing.T) {
			c, err := n.Start(node.Run{ID: tt.id, Namespace: tt.namespace, Runtime: node.Batten})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Remove)
			exec := func() (string, error) { // a kernel without AF_ALG says so where the filter lets the call pass
				out, err := c.Exec(probe...)
				return strings.ReplaceAll(out, "EAFNOSUPPORT", "OK"), err
			}
			if got, err := exec(); got != tt.before {
				t.Fatalf("before the block: %v\n%swant\n%s", err, got, tt.before)
			}
			out := output(t, "block", n.Command(batten, "block", "--running", "--id", tt.id, "socket(AF_ALG)"))
			if strings.Contains(out, "not closed") || !strings.Contains(out, "closed while it runs: ") {
				t.Errorf("batten block says\n%s", out)
			}
			output(t, "unblock", n.Command(batten, "unblock", "block-socket-af-alg"))
			if got, err := exec(); got != tt.after {
				t.Errorf("after the block: %v\n%swant\n%s", err, got, tt.after)
			}
		})
	}
}

// TestBlockRunningNotLater: where the runtime's own file cannot be changed, what is started later
// is not closed, and the answer and the exit status say so.
func TestBlockRunningNotLater(t *testing.T) {
	n := node.Start(t, newest)
	setPolicy(t, n, "version: 1\nabsent: Unconfined\n")
	c, err := n.Start(node.Run{ID: "kept", Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Remove)
	state := n.Path("/run/containerd/runc/test/kept/state.json")
	if err := os.Rename(state, state+".away"); err != nil {
		t.Fatal(err)
	}
	batten := filepath.Join(node.Root(), "bin", "batten")
	block := func() (string, error) {
		out, err := n.Command(batten, "block", "--running", "--id", "kept", "keyctl").CombinedOutput()
		return string(out), err
	}
	const proved = "running: 1 container, all proved to be closed by the filters that the kernel holds"
	out, err := block()
	for _, want := range []string{
		"not closed: test/kept: what is started in it later can make the calls: the state that its runtime keeps is not found\n",
		proved + "; but what is started later in 1 container is not: restart what \"not closed\" names\n",
	} {
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%v\n%swithout\n%s", err, out, want)
		}
	}
	if err := os.Rename(state+".away", state); err != nil {
		t.Fatal(err)
	}
}
