package observe

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestProved: what verify says of containers whose denials are seen, under the policy of today.
// Batten's listener denies, or lets through; another's is not trusted.
func TestProved(t *testing.T) {
	n := node.Start(t, engine)
	stricter := "version: 1\nfloor: no-unlink\nprofiles: {no-unlink: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [unlinkat], action: SCMP_ACT_ERRNO}]}}}\n"
	for _, tt := range []struct {
		name, policy, today string
		safe                bool
		says                string
	}{
		{name: "counted", policy: "counted", today: policies["counted"], safe: true, says: "proved, 1 filter as strict as its record and today's policy; Batten's listener denies the calls that it notifies of"},
		{name: "counted, and silent today", policy: "counted", today: policies["silent"], safe: true, says: "proved, 1 filter as strict as its record and today's policy; Batten's listener denies the calls that it notifies of"},
		{name: "counted, and stricter today", policy: "counted", today: stricter, says: "looser than today's policy: "},
		{name: "audited", policy: "audited", today: policies["audited"], says: "; the policy only audits"},
		{name: "audited, and enforced today", policy: "audited", today: policies["silent"], says: "looser than today's policy: "},
		{name: "audited, and counted today", policy: "audited", today: policies["counted"], says: "looser than today's policy: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n.In(t)
			c := start(t, n, tt.policy, node.Run{})
			defer c.Remove()
			wantExec(t, c, answers[tt.policy])
			setPolicy(t, n, tt.today)
			out, err := n.Command("batten", "verify", c.ID).CombinedOutput()
			if (err == nil) != tt.safe || !strings.Contains(string(out), tt.says) {
				t.Errorf("batten verify: %v: %s\nwant %v, %s", err, out, tt.safe, tt.says)
			}
		})
	}
}
