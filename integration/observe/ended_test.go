package observe

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestEndedByFilter: that a filter has ended a program is in the policy's log; that it has
// ended otherwise is not.
func TestEndedByFilter(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			n := node.Start(t, engine)
			log := filepath.Join(n.Dir, "ended.jsonl")
			setPolicy(t, n, `version: 1
absent: kills
profiles: {kills: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl], action: SCMP_ACT_KILL_PROCESS}]}}}
log: `+log+"\n")
			for _, tt := range []struct {
				call string
				want []string
			}{
				{call: "keyctl", want: []string{" exit SIGSYS"}},
				{call: "add_key"},
			} {
				n.Output(node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", tt.call}})
				if got := lines(t, log); !slices.Equal(got, tt.want) {
					t.Errorf("%s: the log has %q, want %q", tt.call, got, tt.want)
				}
			}
			c, err := n.Start(node.Run{Runtime: node.Batten})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Remove()
			for _, call := range []string{"add_key", "keyctl"} {
				_, _ = c.Exec("/probe", "call", call) // its exit status is an error
			}
			if got := lines(t, log); !slices.Equal(got, []string{" exit SIGSYS"}) {
				t.Errorf("execs: the log has %q", got)
			}
		})
	}
}
