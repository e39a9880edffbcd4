package profile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
)

// What of a SeccompProfile gets into the file that the Security Profiles Operator
// writes for the engine.
func TestOperator(t *testing.T) {
	const head = "kind: SeccompProfile\nspec:\n  defaultAction: SCMP_ACT_ALLOW\n"
	for _, tt := range []struct {
		name, spec string
		want       []string
	}{
		{name: "a plain one", spec: "  syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO, errnoRet: 38}]\n"},
		{name: "what the operator reads", spec: "  disabled: false\n  targetWorkload: web\n  syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO}]\n"},
		{name: "an errno of 0", spec: "  syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO, errnoRet: 0}]\n", want: []string{
			`4:14: warning: spec.syscalls[0]: the operator leaves errnoRet: 0 out, so the call fails with EPERM`,
		}},
		{name: "no flags", spec: "  flags: []\n  syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO}]\n", want: []string{
			`4:3: warning: spec.flags: the operator leaves an empty list of flags out, so the runtime loads the filter with SECCOMP_FILTER_FLAG_SPEC_ALLOW`,
		}},
		{name: "Docker's keys", spec: "  syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO, includes: {caps: [CAP_BPF]}}]\n  archMap: []\n", want: []string{
			`4:53: spec.syscalls[0].includes: the API server does not know "includes" in a SeccompProfile: kubectl apply refuses it, and for others it is dropped`,
			`5:3: spec.archMap: the API server does not know "archMap" in a SeccompProfile: kubectl apply refuses it, and for others it is dropped`,
		}},
	} {
		p, findings := profile.ParseWrapped("p.yaml", []byte(head+tt.spec))
		var got []string
		for _, f := range findings {
			got = append(got, strings.TrimPrefix(f.String(), `profile "p.yaml":`))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
		if p == nil {
			continue
		}
		s := p.Resolve(profile.Target{})
		if s.Flags != nil || s.Syscalls[0].ErrnoRet != nil && *s.Syscalls[0].ErrnoRet == 0 {
			t.Errorf("%s: flags %q, errno %v", tt.name, s.Flags, s.Syscalls[0].ErrnoRet)
		}
	}
}
