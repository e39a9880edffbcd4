package profile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestBounds: what is just allowed, beside what just is not.
func TestBounds(t *testing.T) {
	rule := func(text string) string {
		return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": ` + text + `}]}`
	}
	two := func(first, second string) string {
		return fmt.Sprintf(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", %s}, {"names": ["keyctl"], "action": "SCMP_ACT_LOG", %s}]}`, first, second)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"the largest errno", rule(`"SCMP_ACT_ERRNO", "errnoRet": 4095`), ""},
		{"the first errno by name", rule(`"SCMP_ACT_ERRNO", "errno": "EPERM"`), ""},
		{"the last errno by name", rule(`"SCMP_ACT_ERRNO", "errno": "EHWPOISON"`), ""},
		{"an errno of TRACE", rule(`"SCMP_ACT_TRACE", "errnoRet": 7`), ""},
		{"an errno of KILL", rule(`"SCMP_ACT_KILL", "errnoRet": 7`), "errno-ignored"},
		{"argument 5", rule(`"SCMP_ACT_ERRNO", "args": [{"index": 5, "value": 1, "op": "SCMP_CMP_EQ"}]`), ""},
		{"one arch each", two(`"includes": {"arches": ["amd64"]}`, `"includes": {"arches": ["x86"]}`), ""},
		{"an arch in common", two(`"includes": {"arches": ["amd64", "x86"]}`, `"includes": {"arches": ["x86"]}`), "overlap"},
		{"an arch and any", two(`"includes": {"arches": ["amd64"]}`, `"includes": {"caps": ["CAP_BPF"]}`), "overlap"},
		{"any and an arch", two(`"includes": {"caps": ["CAP_BPF"]}`, `"includes": {"arches": ["amd64"]}`), "overlap"},
	} {
		_, findings := profile.Parse("p.json", []byte(tt.text))
		var ids []string
		for _, f := range findings {
			ids = append(ids, f.ID)
		}
		if got := strings.Join(ids, " "); got != tt.want || findings.Err() != nil {
			t.Errorf("%s: %q, want %q: %v", tt.name, got, tt.want, findings)
		}
	}
	largest := `{"defaultAction": "SCMP_ACT_LOG"}`
	largest += strings.Repeat(" ", profile.MaxSize-len(largest))
	if _, findings := profile.Parse("p.json", []byte(largest)); findings.Err() != nil {
		t.Error(findings)
	}
	if _, findings := profile.Parse("p.json", []byte(largest+" ")); findings.Err() == nil {
		t.Error("a file above the limit is taken")
	}
}

// TestLimitsOfFloor: a floor of just as many rules and instructions as may be is made.
func TestLimitsOfFloor(t *testing.T) {
	deny := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl", "bpf", "mount"}, Action: specs.ActErrno}}}
	open := specs.LinuxSeccomp{DefaultAction: specs.ActLog}
	var instructions int
	_, _, err := profile.Floor(deny, open, profile.Limits{Instructions: 1})
	if _, scanErr := fmt.Sscanf(fmt.Sprint(err), "the profile under this floor would have about %d instructions", &instructions); scanErr != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		limits profile.Limits
		ok     bool
	}{
		{profile.Limits{Rules: 3}, true},
		{profile.Limits{Rules: 2}, false},
		{profile.Limits{Instructions: instructions}, true},
		{profile.Limits{Instructions: instructions - 1}, false},
	} {
		if _, _, err := profile.Floor(deny, open, tt.limits); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.limits, err)
		}
	}
}
