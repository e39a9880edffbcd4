package profile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
)

// allowRest returns a profile with rules that allows the rest, denyRest one that denies it.
func allowRest(rules string) string {
	return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [` + rules + `]}`
}

func denyRest(rules string) string {
	return `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` + startable + `, ` + rules + `]}`
}

// parseFindings are profiles and what is found in them.
var parseFindings = []struct {
	name, text string
	want       []string // without the file's name
}{
	{name: "clean", text: denyRest(`{"names": ["write"], "action": "SCMP_ACT_ALLOW"}`)},
	{
		name: "clean deny-list",
		text: allowRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}`),
	},
	{
		name: "empty file",
		want: []string{` the file is empty; an empty profile is not "Unconfined", write the whole profile`},
	},
	{
		name: "not JSON", text: "{,}",
		want: []string{`1:2: not valid JSON at byte 2: invalid character ',' looking for beginning of object key string`},
	},
	{name: "a list", text: "[]", want: []string{
		`1:1: is a list, want a mapping`,
	}},
	{name: "unknown keys", text: `{"defaultAction": "SCMP_ACT_ALLOW", "arch": [], "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "arg": []}]}`, want: []string{
		`1:37: unknown key "arch"`,
		`1:112: syscalls[0]: unknown key "arg"; did you mean "args"?`,
	}},
	{
		name: "duplicate key",
		text: `{"defaultAction": "SCMP_ACT_ALLOW",` + "\n" + `"defaultAction": "SCMP_ACT_LOG"}`,
		want: []string{`2:1: key "defaultAction" occurs twice, first in line 1; remove one`},
	},
	{
		name: "unknown action", text: allowRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERNO"}`),
		want: []string{`1:82: syscalls[0].action: unknown value "SCMP_ACT_ERNO", want SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY; did you mean "SCMP_ACT_ERRNO"?`},
	},
	{
		name: "no names", text: allowRest(`{"action": "SCMP_ACT_ERRNO"}`),
		want: []string{`1:50: warning: syscalls[0]: names no system call, so the rule does nothing`},
	},
	{
		name: "no action", text: allowRest(`{"names": ["keyctl"]}`),
		want: []string{`1:50: syscalls[0]: has no action`},
	},
	{
		name: "name and names",
		text: allowRest(`{"name": "keyctl", "names": ["bpf"], "action": "SCMP_ACT_ERRNO"}`),
		want: []string{`1:59: syscalls[0].name: stands beside names; write one of the two`},
	},
	{
		name: "argument 6",
		text: allowRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}`),
		want: []string{`1:119: syscalls[0].args[0].index: argument 6 does not exist; a syscall has arguments 0 to 5`},
	},
	{
		name: "a value too large",
		text: allowRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 18446744073709551616, "op": "SCMP_CMP_EQ"}]}`),
		want: []string{`1:131: syscalls[0].args[0].value: 18446744073709551616 is not a whole number from 0 to 2^64-1`},
	},
	{
		name: "a fraction",
		text: allowRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1.5}`),
		want: []string{`1:112: syscalls[0].errnoRet: 1.5 is not a whole number from 0 to 2^32-1`},
	},
	{
		name: "errno too large",
		text: allowRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4096}`),
		want: []string{`1:112: syscalls[0].errnoRet: errno 4096 is above 4095, the largest that the kernel returns`},
	},
	{
		name: "errno names disagree",
		text: allowRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "errno": "ENOSYS"}`),
		want: []string{`1:124: syscalls[0].errno: ENOSYS is 38, but errnoRet says 1; write one of the two`},
	},
	{
		name: "unknown errno",
		text: allowRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errno": "ENOPE"}`),
		want: []string{`1:109: syscalls[0].errno: unknown errno "ENOPE"`},
	},
	{
		name: "archMap and architectures",
		text: `{"defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": null}]}`,
		want: []string{`1:52: architectures: stands beside archMap; write one of the two`},
	},
	{
		name: "notify without listener",
		text: allowRest(`{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}`),
		want: []string{`1:1: a rule has SCMP_ACT_NOTIFY but listenerPath is missing; runc refuses that`},
	},
	{
		name: "notify on write",
		text: `{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/x", "syscalls": [{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}]}`,
		want: []string{`1:76: syscalls[0]: SCMP_ACT_NOTIFY on write; runc refuses that, since it writes to hand over the listener`},
	},
	{
		name: "notify by default",
		text: `{"defaultAction": "SCMP_ACT_NOTIFY", "syscalls": [` + startable + `]}`,
		want: []string{`1:1: defaultAction is SCMP_ACT_NOTIFY; runc refuses that, write the calls to notify of as rules`},
	},
	{
		name: "listener without notify",
		text: `{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/x", "syscalls": []}`,
		want: []string{`1:1: warning: listenerPath is set but no rule has SCMP_ACT_NOTIFY; nothing will be sent there`},
	},
	{
		name: "nothing matches",
		text: `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [{"names": ["umount"], "action": "SCMP_ACT_ERRNO"}]}`,
		want: []string{`1:1: warning: lists SCMP_ARCH_X32, and its rules without conditions are on calls that x86_64 lacks: for crun, and up to 32 names for runc, libseccomp makes a filter in which no rule matches; leave SCMP_ARCH_X32 out`},
	},
	{
		name: "something does",
		text: `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [{"names": ["umount", "umount2"], "action": "SCMP_ACT_ERRNO"}]}`,
	},
	{
		name: "misspelt deny",
		text: allowRest(`{"names": ["keyctll"], "action": "SCMP_ACT_ERRNO"}`),
		want: []string{`1:50: warning: syscalls[0]: unknown syscall "keyctll": runtimes skip it, so the rule denies nothing by that name; did you mean "keyctl"?`},
	},
	{
		name: "misspelt allow",
		text: denyRest(`{"names": ["keyctll"], "action": "SCMP_ACT_ALLOW"}`),
		want: []string{`1:278: warning: syscalls[1]: unknown syscall "keyctll": runtimes skip it; did you mean "keyctl"?`},
	},
	{
		name: "unlike any",
		text: denyRest(`{"names": ["frobnicate_everything"], "action": "SCMP_ACT_ALLOW"}`),
	},
	{
		name: "says the default",
		text: denyRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}`),
		want: []string{`1:278: warning: syscalls[1]: has the same action as defaultAction; runc skips the rule`},
	},
	{
		name: "says the default, by another errno",
		text: denyRest(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2}`),
	},
	{
		name: "two conditions on one argument",
		text: allowRest(`{"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_GE"}, {"index": 0, "value": 9, "op": "SCMP_CMP_LE"}]}`),
		want: []string{`1:50: warning: syscalls[0]: has 2 conditions on argument 0, so runc and crun make each of its 2 conditions a rule of its own: any one of them is enough, those on other arguments too`},
	},
	{
		name: "never matches",
		text: allowRest(`{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_LT"}]}`),
		want: []string{`1:50: warning: syscalls[0]: the condition on argument 0 can never match; the rule does nothing`},
	},
	{
		name: "bits outside the mask",
		text: allowRest(`{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 2, "valueTwo": 3, "op": "SCMP_CMP_MASKED_EQ"}]}`),
		want: []string{`1:50: warning: syscalls[0]: the condition on argument 0 wants bits outside its mask; libseccomp ignores them`},
	},
	{
		name: "overlap",
		text: allowRest(`{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 8, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]}, {"names": ["bpf", "clone"], "action": "SCMP_ACT_LOG"}`),
		want: []string{`1:179: warning: syscalls[1]: another rule on clone with a different action matches the same calls; libseccomp does not say which wins`},
	},
	{
		name: "no overlap",
		text: allowRest(`{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 8, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]}, {"names": ["clone"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 8, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]}`),
	},
	{
		name: "no overlap by caps",
		text: allowRest(`{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN"]}}, {"names": ["clone3"], "action": "SCMP_ACT_LOG", "includes": {"caps": ["CAP_SYS_ADMIN"]}}`),
	},
	{
		name: "four calls",
		text: `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", "write", "exit", "fstat"], "action": "SCMP_ACT_ALLOW"}]}`,
		want: []string{`1:1: cannot start a container: denies close, execve, fstatfs, getdents64, openat, openat2, statx, capget, capset, chdir, futex, getcwd, getppid, newfstatat, prctl, setgid, setgroups, setuid, which the runtime needs after the filter is in place`},
	},
	{
		name: "nearly",
		text: `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` + strings.Replace(startable, `"capset",`, "", 1) + `]}`,
		want: []string{`1:1: warning: may not start a container: denies capset, which runc needs after the filter is in place`},
	},
	{
		name: "bad kernel",
		text: allowRest(`{"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "new"}}`),
		want: []string{`1:123: syscalls[0].includes.minKernel: "new" is not a kernel version such as 4.8`},
	},
}

func TestParseFindings(t *testing.T) {
	for _, tt := range parseFindings {
		t.Run(tt.name, func(t *testing.T) {
			p, findings := profile.Parse("p.json", []byte(tt.text))
			var got []string
			for _, f := range findings {
				got = append(got, strings.TrimPrefix(f.String(), `profile "p.json":`))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if (findings.Err() == nil) != (p != nil) {
				t.Errorf("profile %v beside error %v", p, findings.Err())
			}
		})
	}
}
