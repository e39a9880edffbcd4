package policy_test

import (
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const noKeyring = `version: 1
mode: Audit
floor: no-keyring
profiles: {no-keyring: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl, add_key], action: SCMP_ACT_ERRNO}]}}}
`

// Calls that a container's own filter traces or notifies somebody of fail where nobody answers.
// An audit's listener would let them run, so they are not observed.
func TestAuditLetsNothingThroughThatTheContainerDenies(t *testing.T) {
	runtime := syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")
	runtime.Release = "runc 1.5.2"
	resolve := func(own specs.LinuxSeccomp) policy.Outcome {
		r := policy.Request{ContainerdNamespace: "x", Runtime: "io.containerd.batten.v2", Listener: "/a.sock"}
		return parse(t, noKeyring).Resolve(r, &own, policy.Machine{Runtime: runtime})
	}
	keyctl := func(a specs.LinuxSeccompAction) specs.LinuxSeccomp {
		return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: a}}}
	}
	byDefault := specs.LinuxSeccomp{DefaultAction: specs.ActTrace, Syscalls: []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActAllow}}}
	traced := "enforcement would trace calls, which fail without a tracer, and an audit lets each call run"
	hidden := "its own profile traces calls, which fail without a tracer, and the listener would let them run"
	for name, tt := range map[string]struct {
		own specs.LinuxSeccomp
		why string
	}{
		"denied, a control": {own: keyctl(specs.ActErrno)},
		"logged, a control": {own: keyctl(specs.ActLog)},
		"traced and denied": {own: keyctl(specs.ActTrace), why: hidden},
		"traced by default": {own: byDefault, why: traced},
		"notified of":       {own: keyctl(specs.ActNotify), why: "its own profile notifies a listener, and a container can have only one"},
	} {
		t.Run(name, func(t *testing.T) {
			o := resolve(tt.own)
			if o.Unobserved != tt.why || (o.Observed == nil) != (tt.why != "") {
				t.Errorf("observed %v: %q, want %q (%s)", o.Observed != nil, o.Unobserved, tt.why, o.Refusal)
			}
		})
	}
}
