package daemonset

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/syscalls"
)

// A drop-in that denies a call whose name the host's only runtime skips is refused, and the last good
// one holds; with a runtime beside it that knows the name it is told.
func TestSkippedNames(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	older := policy.Machine{Runtime: syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")}
	newer := policy.Machine{Runtime: syscalls.RuntimeOfVersion("/usr/bin/crun", "2.6.0")}
	dropIn := func(call string) string {
		return "version: 1\nmandatoryFloors: [a]\nprofiles: {a: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [" + call + "], action: SCMP_ACT_ERRNO}]}}}\n"
	}
	const unknown = "setxattrat" // libseccomp 2.6 knows it, 2.5.4 does not
	for _, tt := range []struct {
		name, call string
		machines   []policy.Machine
		refused    bool
		says       string
	}{
		{name: "known", call: "bpf", machines: []policy.Machine{older}},
		{name: "skipped", call: unknown, machines: []policy.Machine{older}, refused: true},
		{name: "skipped by each", call: unknown, machines: []policy.Machine{older, older}, refused: true},
		{name: "skipped by one", call: unknown, machines: []policy.Machine{older, newer}, says: "containers of one runtime of this node are refused: "},
		{name: "no runtime yet", call: unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, dir, log := agent(t)
			a.Machines = func() []policy.Machine { return tt.machines }
			mount(t, dir, "1", map[string]string{"policy.yaml": "version: 1\n", "good.yaml": dropIn("keyctl")})
			if err := a.policy(t.Context()); err != nil {
				t.Fatal(err)
			}
			mount(t, dir, "2", map[string]string{"policy.yaml": "version: 1\n", "good.yaml": dropIn("keyctl"), "next.yaml": dropIn(tt.call)})
			err := a.policy(t.Context())
			if refused := err != nil; refused != tt.refused || refused && (!strings.Contains(err.Error(), unknown) || !strings.Contains(err.Error(), "the last good one holds")) {
				t.Errorf("refused: %v", err)
			}
			there, err := a.dropInsThere()
			if _, put := there["next.yaml"]; err != nil || put == tt.refused || there["good.yaml"] == nil {
				t.Errorf("the host has %q, %v", sortedKeys(there), err)
			}
			if !strings.Contains(log.String(), tt.says) {
				t.Errorf("it says\n%s", log.String())
			}
		})
	}
}
