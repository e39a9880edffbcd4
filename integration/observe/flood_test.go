package observe

import (
	"fmt"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestManyThreads: each of very many denied calls gets its errno and is counted once.
func TestManyThreads(t *testing.T) {
	const threads = 8
	times := node.Often(t, "CALLS", 2000)
	n := node.Start(t, engine)
	for policy, answer := range answers {
		c := start(t, n, policy, node.Run{Args: []string{"/probe", "many", "keyctl", fmt.Sprint(times), fmt.Sprint(threads), "--", "pause"}})
		want := fmt.Sprintf("keyctl: %s %d\n", answer, threads*times)
		n.Eventually(30*patience, "the calls", func() error {
			if out := c.Output(); out != want {
				return fmt.Errorf("%s: it wrote %q, want %q", policy, out, want)
			}
			return nil
		})
		n.Eventually(patience, "the counts", func() error {
			if got, err := callsOf(n, c, "keyctl"); err != nil || got != uint64(threads*times) {
				return fmt.Errorf("%s: %d (%v)", policy, got, err)
			}
			return nil
		})
		wantExec(t, c, answer)
		c.Remove()
		wantNothing(n)
	}
}

// TestSignals: calls that signals interrupt get what they get in silence. Without SA_RESTART a
// call that waits for its answer may also fail with EINTR.
func TestSignals(t *testing.T) {
	n := node.Start(t, engine)
	for _, restart := range []string{"1", "0"} {
		run := node.Run{Runtime: node.Batten, Args: []string{"/probe", "alarmed", "keyctl", "20000", restart}}
		for policy, answer := range map[string]string{"silent": "EPERM", "counted": "EPERM", "audited": "OK"} {
			setPolicy(t, n, policies[policy])
			out := n.Output(run)
			t.Logf("%s, restart %s: %s", policy, restart, out)
			if restart == "0" && policy != "silent" {
				out = allEINTR(out, answer)
			}
			if want := fmt.Sprintf("keyctl: %s 20000\n", answer); out != want {
				t.Errorf("%s, restart %s: it wrote %q, want %q", policy, restart, out, want)
			}
		}
	}
}

// allEINTR adds the calls that failed with EINTR to those with the answer.
func allEINTR(out, answer string) string {
	var n, interrupted int
	if k, _ := fmt.Sscanf(out, "keyctl: "+answer+" %d EINTR %d\n", &n, &interrupted); k != 2 {
		return out
	}
	return fmt.Sprintf("keyctl: %s %d\n", answer, n+interrupted)
}

// TestOwnListener: a program that has a listener of its own cannot have it beside Batten's.
func TestOwnListener(t *testing.T) {
	n := node.Start(t, engine)
	for policy, want := range map[string]string{
		"silent": "own_listener: EPERM\n", "counted": "own_listener: EBUSY\n",
		"audited": "own_listener: EBUSY\n", "audit silent": "own_listener: OK\n",
	} {
		setPolicy(t, n, policies[policy])
		if out := n.Output(node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", "own_listener"}}); out != want {
			t.Errorf("%s: it wrote %q, want %q", policy, out, want)
		}
	}
}
