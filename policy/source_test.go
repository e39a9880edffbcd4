package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What is wrong with from, allow and deny is said at its place, with the remedy.
func TestMadeFindings(t *testing.T) {
	for _, tt := range []struct {
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
	} {
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

// resultOf returns what a container that brings nothing runs under.
func resultOf(t *testing.T, p *policy.Policy, bounding ...string) *filter.Program {
	t.Helper()
	o := p.Resolve(policy.Request{Bounding: bounding}, nil, policy.Machine{})
	if o.Refused() || o.Result == nil {
		t.Fatalf("refused: %s", o.Refusal)
	}
	program, err := filter.Compile(o.Result)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

const x8664 = 0xc000003e // AUDIT_ARCH_X86_64

func does(t *testing.T, p *filter.Program, nr uint32, args ...uint64) string {
	t.Helper()
	c := filter.Call{Arch: x8664, Nr: nr}
	copy(c.Args[:], args)
	r, err := p.Run(c)
	if err != nil {
		t.Fatal(err)
	}
	return r.String()
}

// A profile that is made from another follows it: its capabilities and what the node calls
// RuntimeDefault. It holds wherever a profile may stand.
func TestMadeFollows(t *testing.T) {
	const bpf, keyctl, ioURing, socket = 321, 250, 425, 41
	made := "  db:\n    from: RuntimeDefault\n    allow: [{names: [io_uring_setup]}]\n    deny: [{names: [keyctl, ptrace], errno: ENOSYS}, {names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: AF_VSOCK, width: 32}]}]\n"
	for _, tt := range []struct {
		name, text             string
		bounding               []string
		bpf, keyctl, uring, cs string
	}{
		{name: "absent", text: "absent: db\nprofiles:\n" + made, bpf: "ERRNO(EPERM)", keyctl: "ERRNO(ENOSYS)", uring: "ALLOW", cs: "ERRNO(EPERM)"},
		{name: "with CAP_BPF", text: "absent: db\nprofiles:\n" + made, bounding: []string{"CAP_BPF"}, bpf: "ALLOW", keyctl: "ERRNO(ENOSYS)", uring: "ALLOW", cs: "ERRNO(EPERM)"},
		{name: "as floor, which does not widen", text: "floor: db\nprofiles:\n" + made, bpf: "ERRNO(EPERM)", keyctl: "ERRNO(EPERM)", uring: "ERRNO(EPERM)", cs: "ERRNO(EPERM)"},
		{
			name: "of another RuntimeDefault", bpf: "ALLOW", keyctl: "ERRNO(ENOSYS)", uring: "ALLOW", cs: "ERRNO(EPERM)",
			text: "absent: db\nruntimeDefault: site\nprofiles:\n" + made + "  site: {from: builtin, allow: [{names: [bpf]}]}\n",
		},
		{
			name: "as mandatory floor", bpf: "ALLOW", keyctl: "ERRNO(ENOSYS)", uring: "ALLOW", cs: "ALLOW",
			text: "absent: Unconfined\nmandatoryFloors: [a]\nprofiles:\n  a: {from: Unconfined, deny: [{names: [keyctl], errno: ENOSYS}]}\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := resultOf(t, parse(t, "version: 1\n"+tt.text), tt.bounding...)
			for of, c := range map[string]struct{ got, want string }{
				"bpf": {does(t, p, bpf), tt.bpf}, "keyctl": {does(t, p, keyctl), tt.keyctl}, "io_uring_setup": {does(t, p, ioURing), tt.uring},
				"socket(AF_VSOCK)": {does(t, p, socket, 40), tt.cs}, "with high bits": {does(t, p, socket, 1<<32+40), tt.cs}, "socket(AF_INET)": {does(t, p, socket, 2), "ALLOW"},
			} {
				if c.got != c.want {
					t.Errorf("%s: %s, want %s", of, c.got, c.want)
				}
			}
		})
	}
}

// Conditions of 32 bits hold for the low half, whatever the operator.
func TestMadeWidth(t *testing.T) {
	const prctl = 157
	for op, denied := range map[string][]uint64{
		"EQ": {7}, "NE": {0, 6, 8, 1<<32 - 1}, "LT": {0, 6}, "LE": {0, 6, 7}, "GT": {8, 1<<32 - 1}, "GE": {7, 8, 1<<32 - 1}, "MASKED_EQ": {7, 15, 1<<32 - 1},
	} {
		two := ""
		if op == "MASKED_EQ" {
			two = "valueTwo: 7, "
		}
		p := resultOf(t, parse(t, "version: 1\nabsent: a\nprofiles:\n  a: {from: Unconfined, deny: [{names: [prctl], args: [{index: 0, op: SCMP_CMP_"+op+", value: 7, "+two+"width: 32}]}]}\n"))
		for _, low := range []uint64{0, 6, 7, 8, 15, 1<<32 - 1} {
			want := "ALLOW"
			for _, d := range denied {
				if d == low || op == "NE" && low != 7 || op[0] == 'G' && low > 7 {
					want = "ERRNO(EPERM)"
				}
			}
			for _, high := range []uint64{0, 1, 1<<32 - 1} {
				if got := does(t, p, prctl, high<<32|low); got != want {
					t.Errorf("%s 7: prctl(%#x): %s, want %s", op, high<<32|low, got, want)
				}
			}
		}
	}
}

// The drop-in's from is a profile of the drop-in, or a word that the policy explains.
func TestMadeInDropIn(t *testing.T) {
	p := parse(t, "version: 1\nabsent: Unconfined\nruntimeDefault: base\nprofiles:\n  base: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO}]}}\n")
	own, findings := policy.ParseDropIn("10.yaml", []byte("version: 1\nmandatoryFloors: [a]\nprofiles:\n  a: {from: RuntimeDefault, deny: [{names: [keyctl]}]}\n"), nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	program := resultOf(t, p.With(own))
	for nr, want := range map[uint32]string{321: "ERRNO(EPERM)", 250: "ERRNO(EPERM)", 0: "ALLOW"} {
		if got := does(t, program, nr); got != want {
			t.Errorf("call %d: %s, want %s", nr, got, want)
		}
	}
	if _, findings := policy.ParseDropIn("10.yaml", []byte("version: 1\nmandatoryFloors: [a]\nprofiles:\n  a: {from: base, deny: [{names: [keyctl]}]}\n"), nil); findings.Err() == nil {
		t.Error("a profile of the policy is one of the drop-in")
	}
}

// What cannot be made refuses the container, and check finds it; what is not exact is said.
func TestMadeNotes(t *testing.T) {
	p := parse(t, "version: 1\nabsent: a\nprofiles:\n  a: {from: RuntimeDefault, deny: [{names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: AF_ALG, width: 32}]}]}\n")
	findings, notes := p.Made(policy.Machine{})
	if len(findings) > 0 || !strings.Contains(strings.Join(notes, "\n"), "profiles.a: deny: 32-bit programs that make socket through socketcall") {
		t.Errorf("findings %v, notes %q", findings, notes)
	}
	o := p.Resolve(policy.Request{}, nil, policy.Machine{})
	if !strings.Contains(strings.Join(o.Notes, "\n"), "deny: 32-bit programs that make socket through socketcall") {
		t.Errorf("the record has no such note: %q", o.Notes)
	}
	var many []string
	for value := range 600 {
		many = append(many, fmt.Sprintf("{names: [ioctl], args: [{index: 1, op: SCMP_CMP_EQ, value: %d, width: 32}]}", 3*value))
	}
	p = parse(t, "version: 1\nabsent: a\nprofiles:\n  a: {from: RuntimeDefault, deny: ["+strings.Join(many, ", ")+"]}\n")
	const want = "more than the 250000 steps that Batten spends on one container; give rules fewer conditions"
	if findings, _ = p.Made(policy.Machine{}); len(findings) != 1 || !strings.Contains(findings[0].String(), want) || !strings.HasPrefix(findings[0].String(), `policy "p.yaml":4:6: profiles.a: `) {
		t.Errorf("findings %v", findings)
	}
	if o = p.Resolve(policy.Request{}, nil, policy.Machine{}); !o.Refused() || !strings.Contains(o.Refusal, want) {
		t.Errorf("refused %v: %s", o.Refused(), o.Refusal)
	}
}

// The runtime that would skip a denied name is refused, as for any profile.
func TestMadeIsHeldToTheRuntime(t *testing.T) {
	text := "version: 1\nabsent: a\nprofiles:\n  a: {from: Unconfined, deny: [{names: [setxattrat]}]}\n"
	o := parse(t, text).Resolve(policy.Request{}, nil, policy.Machine{Runtime: syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")})
	if !o.Refused() || !strings.Contains(o.Refusal, "setxattrat") {
		t.Errorf("refused %v: %s", o.Refused(), o.Refusal)
	}
	if o = parse(t, strings.ReplaceAll(text, "setxattrat", "setxattr")).Resolve(policy.Request{}, nil, policy.Machine{Runtime: syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")}); o.Refused() {
		t.Error(o.Refusal)
	}
}

// What was computed before is what is computed now.
func TestMadeIsRemembered(t *testing.T) {
	text := "version: 1\nabsent: a\nprofiles:\n  a: {from: RuntimeDefault, deny: [{names: [keyctl], errno: ENOSYS}]}\n"
	known := &memory{data: make(map[string][]byte)}
	var results []*specs.LinuxSeccomp
	for range 2 {
		o := parse(t, text).Resolve(policy.Request{}, nil, policy.Machine{Computed: known})
		results = append(results, o.Result)
	}
	if len(known.data) != 1 || string(profile.Encode(*results[0])) != string(profile.Encode(*results[1])) {
		t.Errorf("%d known, want 1, or the results differ", len(known.data))
	}
}

func BenchmarkMade(b *testing.B) {
	for b.Loop() {
		p, findings := policy.Parse("p.yaml", []byte("version: 1\nabsent: a\nprofiles:\n  a: {from: RuntimeDefault, allow: [{names: [io_uring_setup]}], deny: [{names: [keyctl], errno: ENOSYS}, {names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: AF_ALG, width: 32}]}]}\n"), nil)
		if findings.Err() != nil {
			b.Fatal(findings)
		}
		if o := p.Resolve(policy.Request{}, nil, policy.Machine{}); o.Refused() {
			b.Fatal(o.Refusal)
		}
	}
}
