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

// A profile under which no container starts is found, too, unless it is there for others to be made
// from.
func TestMadeStartsNone(t *testing.T) {
	for made, want := range map[string]string{
		"{from: Unconfined}":                                "filters nothing, and a container that is to run under it is refused",
		"{from: Unconfined, deny: [{names: [cachectl]}]}":   "filters nothing",
		"{from: RuntimeDefault, deny: [{names: [execve]}]}": "cannot start a container: denies execve, which",
	} {
		p := parse(t, "version: 1\nmandatoryFloors: [a]\nprofiles:\n  a: "+made+"\n")
		findings, _ := p.Made(policy.Machine{})
		if len(findings) != 1 || !strings.Contains(findings[0].String(), "profiles.a: "+want) {
			t.Errorf("%s: %v", made, findings)
		}
		if o := p.Resolve(policy.Request{}, nil, policy.Machine{}); !o.Refused() {
			t.Errorf("%s: a container starts", made)
		}
	}
	p := parse(t, "version: 1\nabsent: b\nprofiles:\n  a: {from: Unconfined}\n  b: {from: a, deny: [{names: [bpf]}]}\n")
	if findings, _ := p.Made(policy.Machine{}); len(findings) > 0 {
		t.Error(findings)
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
