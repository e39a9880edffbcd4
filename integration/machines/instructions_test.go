package machines

import (
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestInstructions counts the instructions, the kernel's among them, that floors and proofs take
// on x86_64 and on arm64. The machine's clock goes on by a nanosecond an instruction. It judges
// no number: the figures are for docs/evidence.
func TestInstructions(t *testing.T) {
	policies := filepath.Join(node.Root(), "deploy", "policies")
	commands := []string{
		"batten version",
		"batten floor RuntimeDefault /run/in/loose.json >/root/floor.json",
		"batten prove --floor RuntimeDefault /root/floor.json",
		"batten floor RuntimeDefault /run/in/ebpf-agent.json >/root/agent.json",
		"batten prove --floor RuntimeDefault /root/agent.json",
		"batten compile RuntimeDefault",
	}
	for _, tt := range []struct {
		goarch string
		m      *machine
	}{{"amd64", debian12(t)}, {"arm64", debian12arm64(t, everything)}} {
		tt.m.counted = true
		files := unpackaged(t, tt.goarch)
		files["loose.json"] = []byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`)
		files["ebpf-agent.json"] = read(t, filepath.Join(policies, "ebpf-agent.json"))
		all := tt.m.boot(t, append([]string{commands[0]}, commands...), files) // the first time it is read from disk
		start := 0.0
		for i, said := range all[1:] {
			if said.status != 0 {
				t.Errorf("%s: %s: status %d\n%s", tt.goarch, commands[i], said.status, said.text)
			}
			took := (said.ended - said.began) * 1000
			if i == 0 {
				start = took
			}
			t.Logf("%s: %6.0f million instructions, %6.0f beyond those of batten version: %s", tt.goarch, took, took-start, commands[i])
		}
	}
}
