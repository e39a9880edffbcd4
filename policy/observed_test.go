package policy_test

import (
	"slices"
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

// WAIT_KILLABLE_RECV is asked for where kernel, runtime and libseccomp are known to have it:
// elsewhere the container would not start.
func TestKillable(t *testing.T) {
	for _, tt := range []struct {
		release, libseccomp, kernel string
		want                        bool
	}{
		{release: "runc 1.5.2", libseccomp: "2.6.0", kernel: "6.18.44", want: true},
		{release: "runc 1.5.2", libseccomp: "2.5.4", kernel: "6.18.44"},
		{release: "runc 1.5.0", libseccomp: "2.6.0", kernel: "6.18.44"},
		{release: "runc 1.1.5", libseccomp: "2.6.0", kernel: "6.18.44"},
		{release: "runc 1.5.2", libseccomp: "2.6.0", kernel: "5.18.0"},
		{release: "runc 1.5.2", libseccomp: "2.6.0", kernel: "5.19.0-rc1", want: true},
		{release: "runc 1.5.2", libseccomp: "2.6.0"},
		{release: "crun 1.6", libseccomp: "2.5.4", kernel: "6.1.0-13-amd64", want: true},
		{release: "crun 1.8.1", libseccomp: "2.5.4", kernel: "6.1.0-13-amd64", want: true},
		{release: "crun 1.5", libseccomp: "2.5.4", kernel: "6.1.0-13-amd64"},
		{release: "crun 1.21", libseccomp: "2.6.0", kernel: "4.19.0"},
	} {
		runtime := syscalls.RuntimeOfVersion("/usr/sbin/runtime", tt.libseccomp)
		runtime.Release = tt.release
		for _, mode := range []string{"denials: Count", "mode: Audit"} {
			p := parse(t, "version: 1\n"+mode+"\n")
			r := policy.Request{ContainerdNamespace: "x", Runtime: "io.containerd.batten.v2", Listener: "/a.sock"}
			o := p.Resolve(r, nil, policy.Machine{Runtime: runtime, KernelRelease: tt.kernel})
			if o.Observed == nil {
				t.Errorf("%+v, %s: not observed: %s%s", tt, mode, o.Unobserved, o.Refusal)
			} else if got := slices.Contains(o.Observed.Seccomp.Flags, specs.LinuxSeccompFlagWaitKillableRecv); got != tt.want {
				t.Errorf("%+v, %s: %t", tt, mode, got)
			}
		}
	}
}
