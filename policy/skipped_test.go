package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What the policy demands must not rest on a name that the runtime skips.
func TestSkippedNames(t *testing.T) {
	profiles := map[string]string{
		"no-xattr": "{inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [setxattr, setxattrat], action: SCMP_ACT_ERRNO}]}}",
		"no-keys":  "{inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}",
	}
	denies := func(names ...string) *specs.LinuxSeccomp {
		return &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow,
			Syscalls:      []specs.LinuxSyscall{{Names: names, Action: specs.ActErrno}},
		}
	}
	allowList := &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno,
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"execve", "read", "mseal"}, Action: specs.ActAllow}},
	}
	const refusal = `but /usr/sbin/runc with libseccomp 2.5.4 skips rules on names that it does not know, so nothing would deny it: use a runtime with libseccomp 2.5.6 or later, or write the profile with a defaultAction that denies and list what it allows`
	for _, tc := range []struct {
		name, policy string
		brought      *specs.LinuxSeccomp
		newer        bool
		refusal      string
		note         string
	}{
		{
			name: "supplied", policy: "version: 1\nabsent: no-xattr",
			refusal: `policy "p.yaml": profile "no-xattr" denies setxattrat, ` + refusal,
		},
		{name: "supplied, newer runtime", policy: "version: 1\nabsent: no-xattr", newer: true},
		{name: "supplied, older names", policy: "version: 1\nabsent: no-keys\npresent: no-xattr"},
		{
			name: "replaced", policy: "version: 1\npresent: no-xattr", brought: allowList,
			refusal: `policy "p.yaml": profile "no-xattr" denies setxattrat, ` + refusal,
		},
		{
			name: "the floor is all there is", policy: "version: 1\nabsent: Unconfined\nfloor: no-xattr",
			refusal: `policy "p.yaml": profile "no-xattr" denies setxattrat, ` + refusal,
		},
		{
			name: "a floor over a deny-list", policy: "version: 1\nfloor: no-xattr", brought: denies("keyctl"),
			refusal: `policy "p.yaml": floor "no-xattr" denies setxattrat, ` + refusal,
		},
		{
			name: "a floor that the container's own deny-list meets", policy: "version: 1\nfloor: no-xattr", brought: denies("setxattr", "setxattrat"),
			refusal: `policy "p.yaml": floor "no-xattr" denies setxattrat, ` + refusal,
		},
		{name: "a floor over an allow-list", policy: "version: 1\nfloor: no-xattr", brought: allowList},
		{name: "a floor over a profile that asks for more", policy: "version: 1\nfloor: no-keys", brought: denies("mseal"), note: "nothing denies mseal, as its own profile would: /usr/sbin/runc with libseccomp 2.5.4 skips rules on names that it does not know"},
		{name: "kept", policy: "version: 1", brought: denies("mseal"), note: "nothing denies mseal, as its own profile would: /usr/sbin/runc with libseccomp 2.5.4 skips rules on names that it does not know"},
		{name: "kept, an allow-list", policy: "version: 1", brought: allowList},
		{name: "RuntimeDefault", policy: "version: 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := tc.policy
			if strings.Contains(text, "no-") {
				text += "\nprofiles:"
			}
			for name, inline := range profiles {
				if strings.Contains(tc.policy, name) {
					text += "\n  " + name + ": " + inline
				}
			}
			m := policy.Machine{Runtime: syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")}
			if tc.newer {
				m.Runtime = syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.6.0")
			}
			o := parse(t, text).Resolve(policy.Request{ContainerdNamespace: "x"}, tc.brought, m)
			if o.Refusal != tc.refusal {
				t.Errorf("refusal\n%q, want\n%q", o.Refusal, tc.refusal)
			}
			if tc.note != "" && !slices.Contains(o.Notes, tc.note) || tc.note == "" && strings.Contains(strings.Join(o.Notes, " "), "skips") {
				t.Errorf("notes %q, want %q", o.Notes, tc.note)
			}
			m.Runtime = syscalls.Runtime{}
			if o := parse(t, text).Resolve(policy.Request{ContainerdNamespace: "x"}, tc.brought, m); o.Refusal != "" {
				t.Errorf("without a runtime: %s", o.Refusal)
			}
		})
	}
}
