package profile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
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
		{name: "the largest errno", text: rule(`"SCMP_ACT_ERRNO", "errnoRet": 4095`)},
		{name: "the first errno by name", text: rule(`"SCMP_ACT_ERRNO", "errno": "EPERM"`)},
		{name: "the last errno by name", text: rule(`"SCMP_ACT_ERRNO", "errno": "EHWPOISON"`)},
		{name: "an errno of TRACE", text: rule(`"SCMP_ACT_TRACE", "errnoRet": 7`)},
		{
			name: "an errno of KILL", text: rule(`"SCMP_ACT_KILL", "errnoRet": 7`),
			want: "errno-ignored",
		},
		{
			name: "argument 5",
			text: rule(`"SCMP_ACT_ERRNO", "args": [{"index": 5, "value": 1, "op": "SCMP_CMP_EQ"}]`),
		},
		{
			name: "one arch each",
			text: two(`"includes": {"arches": ["amd64"]}`, `"includes": {"arches": ["x86"]}`),
		},
		{
			name: "an arch in common",
			text: two(`"includes": {"arches": ["amd64", "x86"]}`, `"includes": {"arches": ["x86"]}`),
			want: "overlap",
		},
		{
			name: "an arch and any",
			text: two(`"includes": {"arches": ["amd64"]}`, `"includes": {"caps": ["CAP_BPF"]}`),
			want: "overlap",
		},
		{
			name: "any and an arch",
			text: two(`"includes": {"caps": ["CAP_BPF"]}`, `"includes": {"arches": ["amd64"]}`),
			want: "overlap",
		},
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
	largest += strings.Repeat(" ", semantics.MaxSize-len(largest))
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
	_, _, err := floor.Floor(deny, open, floor.Limits{Instructions: 1})
	if _, scanErr := fmt.Sscanf(fmt.Sprint(err), "the profile under this floor would have about %d instructions", &instructions); scanErr != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		limits floor.Limits
		ok     bool
	}{
		{limits: floor.Limits{Rules: 3}, ok: true},
		{limits: floor.Limits{Rules: 2}},
		{limits: floor.Limits{Instructions: instructions}, ok: true},
		{limits: floor.Limits{Instructions: instructions - 1}},
	} {
		if _, _, err := floor.Floor(deny, open, tt.limits); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.limits, err)
		}
	}
	edits := semantics.Edits{Deny: []specs.LinuxSyscall{{Names: []string{"keyctl", "bpf", "mount"}}}}
	const want = "the profile with what allow and deny change would have 3 rules, more than 2; "
	if _, _, err := floor.Edit(open, edits, floor.Limits{Rules: 2}); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("of a profile that is changed: %v, want %s…", err, want)
	}
}
