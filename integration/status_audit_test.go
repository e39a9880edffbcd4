package integration

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestStatusAudit: what runs unfiltered is said to, while the policy audits and after.
func TestStatusAudit(t *testing.T) {
	n := node.Start(t, newest)
	setPolicy(t, n, "version: 1\nmode: Audit\ndenials: Silent\n")
	c, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	runs := "runs with no filter, and today's policy would not have it: " + asksNothing + "RuntimeDefault"
	all, _, _ := nodeStatus(t, n)
	change := n.Record(t, node.Namespace, c.ID).WouldChange
	if change == nil || !strings.HasPrefix(change.Text, "would deny ") {
		t.Fatalf("the record says %+v", change)
	}
	wantContainer(t, all, c.ID, false, 0, runs+"; the policy only audits; enforced, it "+change.Text)
	wantVerify(t, n, c.ID, false, runs+"; the policy only audits; enforced, it "+change.Text)
	if s, _ := wholeStatus(t, n); !slices.Contains(s.Problems, "the policy only audits: containers run as they ask to, until it says mode: Enforce") {
		t.Errorf("problems: %q", s.Problems)
	}
	setPolicy(t, n, "version: 1\n")
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, c.ID, false, 0, runs)
	wantVerify(t, n, c.ID, false, runs)
	setPolicy(t, n, "version: 1\nabsent: Unconfined\n")
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, c.ID, true, 0, "runs with no filter, as today's policy has it: "+asksNothing+"Unconfined")
}

// TestStatusObserved: what is only observed is not said to be safe, while the policy audits
// and after; what is counted is.
func TestStatusObserved(t *testing.T) {
	n := node.Start(t, newest)
	setPolicy(t, n, "version: 1\nmode: Audit\n")
	c, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	runs := "is only observed, and looser than today's policy: break() on x86: ERRNO(EPERM) against LOG"
	change := n.Record(t, node.Namespace, c.ID).WouldChange
	if change == nil || !strings.HasPrefix(change.Text, "would deny ") {
		t.Fatalf("the record says %+v", change)
	}
	all, _, _ := nodeStatus(t, n)
	wantContainer(t, all, c.ID, false, 2, runs+"; the policy only audits; enforced, it "+change.Text)
	wantVerify(t, n, c.ID, false, runs+"; the policy only audits; enforced, it "+change.Text)
	setPolicy(t, n, "version: 1\n")
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, c.ID, false, 2, runs)
	setPolicy(t, n, "version: 1\ndenials: Count\n")
	counted, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, counted.ID, true, 2, proved+"; Batten's listener denies the calls that it notifies of")
	wantVerify(t, n, counted.ID, true, proved+"; Batten's listener denies the calls that it notifies of")
	wantContainer(t, all, c.ID, false, 2, runs)
}
