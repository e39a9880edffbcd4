package profile_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 8, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]}]}`))
	f.Add([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "archMap": null, "flags": [], "syscalls": [` + startable + `]}`))
	f.Add([]byte(`[{}]`))
	f.Add([]byte(`{"syscalls": {"a": [1, 1e99, -1, null]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, findings := profile.Parse("p.json", data)
		if (p == nil) != (findings.Err() != nil) {
			t.Fatalf("profile %v beside error %v", p, findings.Err())
		}
		for _, finding := range findings {
			if finding.String() == "" || strings.Contains(finding.Message, "%!") && !bytes.Contains(data, []byte("%!")) {
				t.Fatalf("finding %+v", finding)
			}
		}
		if p == nil {
			return
		}
		// What was accepted reads back as what it was.
		s := p.Resolve(profile.Target{KernelRelease: "6.1"})
		text := profile.Encode(s)
		if _, err := profile.Decode(text); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	})
}
