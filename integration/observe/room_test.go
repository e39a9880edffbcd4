package observe

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestNoRoom: where /run/batten is full or read-only, calls are answered and counted, execs start,
// and the counts are written once there is room.
func TestNoRoom(t *testing.T) {
	n := node.Start(t, engine)
	sh := func(script string) {
		t.Helper()
		if out, err := n.Command("sh", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", script, err, out)
		}
	}
	for name, fault := range map[string][2]string{
		"full":      {"cat /dev/zero >/run/batten/full 2>/dev/null || true", "rm /run/batten/full"},
		"no inodes": {"i=0; while echo >/run/batten/i$i; do i=$((i+1)); done 2>/dev/null", "rm /run/batten/i*"},
		"read-only": {"mount -o remount,ro /run/batten", "mount -o remount,rw /run/batten"},
	} {
		for policy, answer := range answers {
			t.Run(policy+" "+name, func(t *testing.T) {
				n.In(t)
				sh("mkdir -p /run/batten && mount -t tmpfs -o size=2m,nr_inodes=100 tmpfs /run/batten")
				c := start(t, n, policy, node.Run{})
				wantExec(t, c, answer)
				wantCounted(n, c, "keyctl", 1)
				sh(fault[0])
				for range 5 {
					wantExec(t, c, answer)
				}
				if refused, err := n.Start(node.Run{Runtime: node.Batten}); err == nil || !strings.Contains(err.Error(), "its record cannot be written: ") {
					t.Errorf("another container: %v", err)
					refused.Remove()
				} else {
					refused.Remove()
				}
				sh(fault[1])
				wantExec(t, c, answer)
				wantCounted(n, c, "keyctl", 7)
				c.Remove()
				wantNothing(n)
				sh("umount /run/batten")
			})
		}
	}
}
