package policy_test

import (
	"testing"

	"github.com/batten-runtime/batten/policy"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What enforcement would change is never "nothing" where it cannot be told.
func TestChangeThatCannotBeTold(t *testing.T) {
	p, findings := policy.Parse("p.yaml", []byte("version: 1\nmode: Audit\nfloor: RuntimeDefault\nrules: [{name: replaced, match: {runtime: [batten-runc]}, present: RuntimeDefault}]\n"), nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	const unseen = "would change, and how is unknown: the filter that it brings is not at hand"
	odd := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"read"}, Action: "SCMP_ACT_ODD"}}}
	for _, tt := range []struct {
		name    string
		request policy.Request
		brought *specs.LinuxSeccomp
		want    policy.Change
	}{
		{name: "tightened", request: policy.Request{Filtered: true}, want: policy.Change{Text: unseen, Unknown: true}},
		{name: "replaced", request: policy.Request{Filtered: true, Runtime: "batten-runc"}, want: policy.Change{Text: unseen, Unknown: true}},
		{
			name: "replaced, and no runtime takes it", request: policy.Request{Runtime: "batten-runc"}, brought: odd,
			want: policy.Change{Text: `would change, and how is unknown: the first profile: syscalls[0]: action "SCMP_ACT_ODD" is none that runc takes`, Unknown: true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := p.Resolve(tt.request, tt.brought, policy.Machine{})
			if got := o.Change(policy.Machine{}); got.Text != tt.want.Text || got.Unknown != tt.want.Unknown || !got.None() {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
