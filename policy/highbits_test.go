package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
)

// Nothing passes Batten's own policies and its RuntimeDefault by bits that the
// kernel does not read.
func TestOwnPoliciesAgainstHighBits(t *testing.T) {
	files, err := filepath.Glob("../deploy/policies/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		p, findings := policy.Loader{AnyOwner: true}.Load(file)
		if err := findings.Err(); err != nil {
			t.Error(err)
			continue
		}
		for _, f := range p.HighBits() {
			t.Error(f)
		}
	}
	for _, caps := range [][]string{nil, {"CAP_SYS_ADMIN"}, {"CAP_SYS_CHROOT", "CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_SYS_TIME"}} {
		s := profile.RuntimeDefault(caps)
		if found, err := semantics.PassedByHighBits(&s); err != nil || len(found) > 0 {
			t.Errorf("RuntimeDefault with %q: %v, %v", caps, found, err)
		}
	}
}

const passed = "the kernel reads 32 bits of argument 0 of socket and the filter compares 64, so 0x100000001 passes the condition SCMP_CMP_EQ 1; write op SCMP_CMP_MASKED_EQ, value 4294967295, valueTwo 1"

// A profile that high bits pass is no floor, and may be a base. Rules that only
// some containers get count for those.
func TestHighBits(t *testing.T) {
	const socket = `{names: [socket], action: SCMP_ACT_ERRNO, args: [{index: 0, value: 1, op: SCMP_CMP_EQ}]`
	file := filepath.Join(t.TempDir(), "policy.yaml")
	for _, tt := range []struct {
		name, text string
		bounding   []string
		refusal    string // without the policy's name
		check      int    // findings
	}{
		{name: "a floor", text: "floor: p\nprofiles:\n  p: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [" + socket + "}]}}", refusal: "floor \"p\": syscalls[0]: " + passed, check: 1},
		{name: "a floor by itself", text: "absent: Unconfined\nfloor: p\nprofiles:\n  p: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [" + socket + "}]}}", refusal: "floor \"p\": syscalls[0]: " + passed, check: 1},
		{name: "a base", text: "absent: p\nprofiles:\n  p: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [" + socket + "}]}}", check: 1},
		{name: "a floor for containers with a capability", text: "floor: p\nprofiles:\n  p: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}, " + socket + ", includes: {caps: [CAP_SYS_ADMIN]}}]}}", bounding: []string{"CAP_SYS_ADMIN"}, refusal: "floor \"p\": syscalls[1]: " + passed, check: 1},
		{name: "the same floor for one without", text: "floor: p\nprofiles:\n  p: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}, " + socket + ", includes: {caps: [CAP_SYS_ADMIN]}}]}}", check: 1},
		{name: "the masked form", text: "floor: p\nprofiles:\n  p: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [socket], action: SCMP_ACT_ERRNO, args: [{index: 0, value: 0xffffffff, valueTwo: 1, op: SCMP_CMP_MASKED_EQ}]}]}}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte("version: 1\n"+tt.text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			p, findings := policy.Loader{AnyOwner: true}.Load(file)
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			if found := p.HighBits(); len(found) != tt.check || slices.ContainsFunc(found, func(f document.Finding) bool { return f.ID != "high-bits" || f.Warning }) {
				t.Errorf("check finds %v, want %d", found, tt.check)
			}
			want := ""
			if tt.refusal != "" {
				want = `policy "` + file + `": ` + tt.refusal
			}
			if o := p.Resolve(policy.Request{ContainerdNamespace: "default", Bounding: tt.bounding}, nil, policy.Machine{}); o.Refusal != want {
				t.Errorf("got  %s\nwant %s", o.Refusal, want)
			}
		})
	}
}
