package profile_test

import (
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What integration's TestClaims saw runc 1.1.5 and 1.5.2 do.
func TestHangs(t *testing.T) {
	rule := func(action specs.LinuxSeccompAction, names ...string) *specs.LinuxSeccomp {
		return &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow,
			Syscalls:      []specs.LinuxSyscall{{Names: names, Action: action}},
		}
	}
	byDefault := rule(specs.ActAllow, "execve", "close", "fstatfs", "openat")
	byDefault.DefaultAction = specs.ActKillThread
	conditional := rule(specs.ActKill, "getdents64")
	conditional.Syscalls[0].Args = []specs.LinuxSeccompArg{{Index: 0, Value: 9, Op: specs.OpEqualTo}}
	for _, tt := range []struct {
		name            string
		profile         *specs.LinuxSeccomp
		noNewPrivileges bool
		recent          bool
		want            []string
	}{
		{name: "a call that every runc needs", profile: rule(specs.ActKill, "getdents64"), noNewPrivileges: true, want: []string{"getdents64"}},
		{name: "by the newer word", profile: rule(specs.ActKillThread, "getdents64"), want: []string{"getdents64"}},
		{name: "the whole process", profile: rule(specs.ActKillProcess, "getdents64")},
		{name: "an error", profile: rule(specs.ActErrno, "getdents64")},
		{name: "a call that newer versions need", profile: rule(specs.ActKill, "openat2", "statx")},
		{name: "a newer version", profile: rule(specs.ActKill, "openat2", "statx"), recent: true, want: []string{"openat2", "statx"}},
		{name: "a call before no_new_privs", profile: rule(specs.ActKill, "capset"), want: []string{"capset"}},
		{name: "the same after it", profile: rule(specs.ActKill, "capset"), noNewPrivileges: true},
		{name: "by default", profile: byDefault, noNewPrivileges: true, want: []string{"getdents64"}},
		{name: "some of the calls", profile: conditional},
		{name: "a call that nobody needs", profile: rule(specs.ActKill, "keyctl")},
		{name: "no profile"},
	} {
		if got := profile.Hangs(tt.profile, tt.noNewPrivileges, tt.recent); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
