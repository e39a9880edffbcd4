package policy_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

// madeFindings are profiles made from others, and what is found in them.
var madeFindings = []struct {
	name, profiles string // from line 3 on, with a as absent
	want           string // empty: fine
}{
	{name: "fine", profiles: "  a: {from: RuntimeDefault, deny: [{names: [keyctl], errno: ENOSYS}]}"},
	{name: "a word", profiles: "  a: {from: RuntimeDefault, deny: [{names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: AF_ALG, width: 32}]}]}"},
	{name: "flags", profiles: "  a: {from: Unconfined, deny: [{names: [unshare], args: [{index: 0, op: SCMP_CMP_MASKED_EQ, value: CLONE_NEWUSER|CLONE_NEWNS, valueTwo: CLONE_NEWUSER|CLONE_NEWNS}]}]}"},
	{name: "one of another", profiles: "  a: {from: b, allow: [{names: [bpf]}]}\n  b: {from: RuntimeDefault, deny: [{names: [keyctl]}]}"},
	{name: "from alone", profiles: "  a: {from: RuntimeDefault}"},
	{
		name: "deny alone", profiles: "  a: {deny: [{names: [keyctl]}]}",
		want: "3:6: profiles.a: wants one of file, inline and from",
	},
	{
		name: "beside inline", profiles: "  a: {inline: {defaultAction: SCMP_ACT_ERRNO}, deny: [{names: [keyctl]}]}",
		want: "3:6: profiles.a: has allow or deny, which go with from alone; name the profile that they change there",
	},
	{
		name: "unknown from", profiles: "  a: {from: bb}\n  b: {from: RuntimeDefault}",
		want: `3:13: profiles.a.from: unknown profile "bb", want RuntimeDefault, builtin, Unconfined or the name of a profile; did you mean "b"?`,
	},
	{
		name: "itself", profiles: "  a: {from: a}",
		want: "3:3: profiles: profile \"a\" is made from itself (a from a); write from: builtin for containerd's own default",
	},
	{
		name: "a circle", profiles: "  a: {from: b}\n  b: {from: a}",
		want: "3:3: profiles: profile \"a\" is made from itself (a from b from a); write from: builtin for containerd's own default\n" +
			"4:3: profiles: profile \"b\" is made from itself (b from a from b); write from: builtin for containerd's own default",
	},
	{
		name: "a circle by a word", profiles: "  a: {from: RuntimeDefault}\nruntimeDefault: a",
		want: "3:3: profiles: profile \"a\" is made from itself (a from a); write from: builtin for containerd's own default",
	},
	{name: "no circle", profiles: "  a: {from: builtin}\nruntimeDefault: a"},
	{
		name: "no such call", profiles: "  a: {from: RuntimeDefault, deny: [{names: [keyctll]}]}",
		want: `3:45: profiles.a.deny[0].names[0]: no system call is known as "keyctll"; did you mean "keyctl"?`,
	},
	{
		name: "no such word", profiles: "  a: {from: RuntimeDefault, deny: [{names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: AF_ALGG, width: 32}]}]}",
		want: `3:96: profiles.a.deny[0].args[0].value: "AF_ALGG" is no word for argument 0 of socket; did you mean "AF_ALG"?; write a number`,
	},
	{
		name: "high bits", profiles: "  a: {from: RuntimeDefault, deny: [{names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: AF_ALG}]}]}",
		want: "3:36: profiles.a.deny[0]: the kernel reads 32 bits of argument 0 of socket and the filter compares 64, so 0x100000026 passes the condition SCMP_CMP_EQ 38; write op SCMP_CMP_MASKED_EQ, value 4294967295, valueTwo 38; width: 32 does that for an int",
	},
	{
		name: "high bits into an allowance", profiles: "  a: {from: RuntimeDefault, allow: [{names: [socket], args: [{index: 0, op: SCMP_CMP_NE, value: AF_ALG}]}]}",
		want: "3:37: profiles.a.allow[0]: the kernel reads 32 bits of argument 0 of socket and the filter compares 64, so 0x100000026 meets the condition SCMP_CMP_NE 38; write 32 rules with SCMP_CMP_MASKED_EQ in its place; width: 32 does that for an int",
	},
	{
		name: "a flag for equality", profiles: "  a: {from: RuntimeDefault, deny: [{names: [unshare], args: [{index: 0, op: SCMP_CMP_EQ, value: CLONE_NEWUSER, width: 32}]}]}",
		want: "3:97: warning: profiles.a.deny[0].args[0].value: CLONE_NEWUSER is a flag, and SCMP_CMP_EQ compares all flags together: write op SCMP_CMP_MASKED_EQ with the flag as value and valueTwo where others may be set",
	},
	{
		name: "a word beside which flags may be", profiles: "  a: {from: Unconfined, deny: [{names: [socket], args: [{index: 1, op: SCMP_CMP_EQ, value: SOCK_RAW, width: 32}]}]}",
		want: "3:92: warning: profiles.a.deny[0].args[0].value: SOCK_RAW may have flags beside it, and SCMP_CMP_EQ compares them, too: write op SCMP_CMP_MASKED_EQ with value 0xf and valueTwo SOCK_RAW",
	},
	{
		name: "two values in one", profiles: "  a: {from: Unconfined, deny: [{names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: AF_UNIX|AF_INET, width: 32}]}]}",
		want: `3:92: profiles.a.deny[0].args[0].value: "AF_INET" stands in the same bits as a word before it, so nothing is both: write a rule for each`,
	},
	{
		name: "no valueTwo", profiles: "  a: {from: Unconfined, deny: [{names: [unshare], args: [{index: 0, op: SCMP_CMP_MASKED_EQ, value: CLONE_NEWUSER}]}]}",
		want: "3:58: warning: profiles.a.deny[0].args[0]: matches calls with none of these bits, since valueTwo is left out; write valueTwo as well",
	},
	{
		name: "one version of ipc", profiles: "  a: {from: Unconfined, deny: [{names: [ipc], args: [{index: 0, op: SCMP_CMP_EQ, value: 21}]}]}",
		want: "3:54: warning: profiles.a.deny[0].args[0]: misses calls: the kernel takes the call behind ipc from the low 16 bits, and programs may set the others; write op SCMP_CMP_MASKED_EQ with value 0xffff",
	},
	{
		name: "all versions of ipc", profiles: "  a: {from: Unconfined, deny: [{names: [ipc], args: [{index: 0, op: SCMP_CMP_MASKED_EQ, value: 0xffff, valueTwo: 21}]}]}",
	},
	{
		name: "never", profiles: "  a: {from: Unconfined, deny: [{names: [socket], args: [{index: 0, op: SCMP_CMP_LT, value: 0, width: 32}]}]}",
		want: "3:57: warning: profiles.a.deny[0].args[0]: matches no call, and so does its rule",
	},
	{
		name: "too wide", profiles: "  a: {from: RuntimeDefault, deny: [{names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: 0x100000000, width: 32}]}]}",
		want: "3:61: profiles.a.deny[0].args[0]: compares with more than the 32 bits of its width",
	},
	{
		name: "another width", profiles: "  a: {from: RuntimeDefault, deny: [{names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: 38, width: 16}]}]}",
		want: "3:107: profiles.a.deny[0].args[0].width: write 32, or leave it out to compare all 64 bits",
	},
	{
		name: "no width", profiles: "  a: {from: RuntimeDefault, deny: [{names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: 38, width: 0}]}]}",
		want: "3:107: profiles.a.deny[0].args[0].width: write 32, or leave it out to compare all 64 bits",
	},
	{
		name: "nothing to allow", profiles: "  a: {from: Unconfined, allow: [{names: [keyctl]}], deny: [{names: [bpf]}]}",
		want: "3:32: warning: profiles.a.allow: allows nothing more, since Unconfined allows all",
	},
	{
		name: "too many", profiles: "  a: {from: RuntimeDefault, deny: [{names: [prctl], args: [{index: 0, op: SCMP_CMP_GT, value: 1, width: 32}, {index: 1, op: SCMP_CMP_GT, value: 1, width: 32}]}]}",
		want: "3:36: profiles.a.deny[0]: its conditions stand for more than 512 rules; give it fewer that order values",
	},
	{
		name: "an errno in allow", profiles: "  a: {from: RuntimeDefault, allow: [{names: [keyctl], errno: EPERM}]}",
		want: `3:55: profiles.a.allow[0]: unknown key "errno"`,
	},
}

// What is wrong with from, allow and deny is said at its place, with the remedy.
func TestMadeFindings(t *testing.T) {
	for _, tt := range madeFindings {
		t.Run(tt.name, func(t *testing.T) {
			_, findings := policy.Parse("p.yaml", []byte("version: 1\nprofiles:\n"+tt.profiles+"\nabsent: a\npresent: a\n"), readNothing)
			var got []string
			for _, f := range findings {
				if !strings.Contains(f.Message, "never used") {
					got = append(got, strings.TrimPrefix(f.String(), `policy "p.yaml":`))
				}
			}
			if got := strings.Join(got, "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
