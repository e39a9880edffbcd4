package semantics_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestSkipped(t *testing.T) {
	old := syscalls.RuntimeOfVersion("/usr/bin/runc", "2.5.4")
	everyCall := syscalls.Calls{}
	noMseal, _ := syscalls.ReadCalls(strings.NewReader("0 T sys_openat\n0 T sys_clone3\n0 T sys_setxattrat\n"))
	rules := func(action specs.LinuxSeccompAction, names ...string) specs.LinuxSyscall {
		return specs.LinuxSyscall{Names: names, Action: action}
	}
	kill := specs.LinuxSeccomp{DefaultAction: specs.ActKillProcess}
	allow := specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	deny := specs.LinuxSeccomp{DefaultAction: specs.ActErrno}
	with := func(s specs.LinuxSeccomp, rules ...specs.LinuxSyscall) specs.LinuxSeccomp {
		s.Syscalls = rules
		s.Architectures = []specs.Arch{specs.ArchX86_64, specs.ArchX86}
		return s
	}
	for _, tc := range []struct {
		name           string
		demand, result specs.LinuxSeccomp
		runtime        syscalls.Runtime
		kernel         syscalls.Calls
		want           string
	}{
		{name: "a deny-list", demand: with(allow, rules(specs.ActErrno, "keyctl", "mseal", "setxattrat")), runtime: old, want: "mseal setxattrat"},
		{name: "a newer runtime", demand: with(allow, rules(specs.ActErrno, "keyctl", "mseal")), runtime: syscalls.RuntimeOfVersion("x", "2.6.0")},
		{name: "no runtime", demand: with(allow, rules(specs.ActErrno, "mseal"))},
		{name: "a call that the kernel lacks", demand: with(allow, rules(specs.ActErrno, "mseal", "setxattrat")), runtime: old, kernel: noMseal, want: "setxattrat"},
		{name: "a name that nobody knows and the kernel lacks", demand: with(allow, rules(specs.ActErrno, "keyctll")), runtime: old, kernel: noMseal},
		{name: "a name that nobody knows", demand: with(allow, rules(specs.ActErrno, "keyctll")), runtime: old, kernel: everyCall, want: "keyctll"},
		{name: "an allow-list", demand: with(deny, rules(specs.ActAllow, "read", "mseal")), runtime: old},
		{name: "stricter than the default", demand: with(deny, rules(specs.ActAllow, "read"), rules(specs.ActKillProcess, "mseal")), runtime: old, want: "mseal"},
		{name: "repeats the default", demand: with(kill, rules(specs.ActAllow, "read"), rules(specs.ActKillProcess, "mseal")), runtime: old},
		{name: "logs", demand: with(allow, rules(specs.ActLog, "mseal")), runtime: old, want: "mseal"},
		{name: "conditional", demand: with(allow, specs.LinuxSyscall{
			Names: []string{"mseal"}, Action: specs.ActErrno,
			Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: 1}},
		}), runtime: old, want: "mseal"},
		{name: "a floor over an allow-list", demand: with(allow, rules(specs.ActErrno, "mseal")), result: with(deny, rules(specs.ActAllow, "read")), runtime: old},
		{name: "a floor that kills over an allow-list", demand: with(allow, rules(specs.ActKillProcess, "mseal")), result: with(deny, rules(specs.ActAllow, "read")), runtime: old, want: "mseal"},
		{name: "a floor that says nothing of it", demand: with(allow, rules(specs.ActErrno, "keyctl")), result: with(allow, rules(specs.ActErrno, "keyctl", "mseal")), runtime: old},
		{name: "a call of another architecture", demand: with(allow, rules(specs.ActErrno, "riscv_hwprobe")), runtime: old},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.result.DefaultAction == "" {
				tc.result = tc.demand
			}
			got, err := semantics.Skipped(&tc.demand, &tc.result, tc.runtime, tc.kernel)
			if err != nil || strings.Join(got, " ") != tc.want {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestSkippedError(t *testing.T) {
	for _, tc := range []struct {
		err  semantics.SkippedError
		want string
	}{
		{
			err:  semantics.SkippedError{Profile: `profile "x"`, Names: []string{"mseal", "open_tree_attr"}, Runtime: syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")},
			want: `profile "x" denies mseal, open_tree_attr, but /usr/sbin/runc with libseccomp 2.5.4 skips rules on names that it does not know, so nothing would deny them: use a runtime with libseccomp 2.6.1 or later, or write the profile with a defaultAction that denies and list what it allows`,
		},
		{
			err:  semantics.SkippedError{Profile: `floor "x"`, Names: []string{"new_call"}, Runtime: syscalls.RuntimeOfVersion("/usr/bin/runsc", "")},
			want: `floor "x" denies new_call, but /usr/bin/runsc with a libseccomp of unknown version skips rules on names that it does not know, so nothing would deny it: no libseccomp is known to know new_call; write the profile with a defaultAction that denies and list what it allows`,
		},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("got\n%s\nwant\n%s", got, tc.want)
		}
	}
}
