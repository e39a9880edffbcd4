package semantics_test

import (
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

type arg = specs.LinuxSeccompArg

func on(action specs.LinuxSeccompAction, name string, args ...arg) specs.LinuxSyscall {
	return specs.LinuxSyscall{Names: []string{name}, Action: action, Args: args}
}

func eq(index uint, value uint64) arg { return arg{Index: index, Op: specs.OpEqualTo, Value: value} }

// For each profile: the conditions that high bits pass, in words; and none once
// each has what stands in Instead, with one call that the filter then denies
// and one that it still allows.
func TestPassedByHighBits(t *testing.T) {
	const allow, deny = specs.ActAllow, specs.ActErrno
	type call struct {
		nr   uint32
		args [6]uint64
	}
	const high = 1 << 32
	for _, tt := range []struct {
		name            string
		defaultAction   specs.LinuxSeccompAction
		rules           []specs.LinuxSyscall
		want            []string
		passes, control call // before: passes gets through; after: only control does
		noFix           bool
	}{
		{
			name: "a denied family", defaultAction: allow,
			rules:   []specs.LinuxSyscall{on(deny, "socket", eq(0, 1))},
			want:    []string{"the kernel reads 32 bits of argument 0 of socket and the filter compares 64, so 0x100000001 passes the condition SCMP_CMP_EQ 1; write op SCMP_CMP_MASKED_EQ, value 4294967295, valueTwo 1"},
			passes:  call{unix.SYS_SOCKET, [6]uint64{high | 1, 1}},
			control: call{unix.SYS_SOCKET, [6]uint64{high | 2, 1}},
		},
		{
			name: "all families but one", defaultAction: deny,
			rules:   []specs.LinuxSyscall{on(allow, "socket", arg{Index: 0, Op: specs.OpNotEqual, Value: 40})},
			want:    []string{"the kernel reads 32 bits of argument 0 of socket and the filter compares 64, so 0x100000028 meets the condition SCMP_CMP_NE 40; write 32 rules with SCMP_CMP_MASKED_EQ in its place"},
			passes:  call{unix.SYS_SOCKET, [6]uint64{high | 40}},
			control: call{unix.SYS_SOCKET, [6]uint64{high | 41}},
		},
		{
			name: "moby's families", defaultAction: deny,
			rules: []specs.LinuxSyscall{
				on(allow, "socket", arg{Index: 0, Op: specs.OpLessThan, Value: 38}), on(allow, "socket", eq(0, 39)),
				on(allow, "socket", arg{Index: 0, Op: specs.OpGreaterThan, Value: 40}),
			},
			want:    []string{"the kernel reads 32 bits of argument 0 of socket and the filter compares 64, so 0x100000000 meets the condition SCMP_CMP_GT 40; write 30 rules with SCMP_CMP_MASKED_EQ in its place"},
			passes:  call{unix.SYS_SOCKET, [6]uint64{high | 40}},
			control: call{unix.SYS_SOCKET, [6]uint64{high | 41}},
		},
		{
			name: "a mode of 16 bits", defaultAction: allow,
			rules:   []specs.LinuxSyscall{on(deny, "fchmod", eq(1, 0o4755))},
			want:    []string{"the kernel reads 16 bits of argument 1 of fchmod and the filter compares 64, so 0x109ed passes the condition SCMP_CMP_EQ 2541; write op SCMP_CMP_MASKED_EQ, value 65535, valueTwo 2541"},
			passes:  call{unix.SYS_FCHMOD, [6]uint64{3, 1<<16 | 0o4755}},
			control: call{unix.SYS_FCHMOD, [6]uint64{3, 1<<16 | 0o755}},
		},
		{
			name: "a negative number, as the kernel's int and as 64 bits", defaultAction: allow,
			rules:   []specs.LinuxSyscall{on(deny, "unlinkat", eq(0, 0xffffffffffffff9c))},
			want:    []string{"the kernel reads 32 bits of argument 0 of unlinkat and the filter compares 64, so 0x1ffffff9c passes the condition SCMP_CMP_EQ 18446744073709551516; write op SCMP_CMP_MASKED_EQ, value 4294967295, valueTwo 4294967196"},
			passes:  call{unix.SYS_UNLINKAT, [6]uint64{0xffffff9c}},
			control: call{unix.SYS_UNLINKAT, [6]uint64{0xff}},
		},
		{
			name: "below a bound", defaultAction: allow,
			rules:   []specs.LinuxSyscall{on(deny, "ioctl", arg{Index: 1, Op: specs.OpLessThan, Value: 5})},
			want:    []string{"the kernel reads 32 bits of argument 1 of ioctl and the filter compares 64, so 0x100000000 passes the condition SCMP_CMP_LT 5; write 2 rules with SCMP_CMP_MASKED_EQ in its place"},
			passes:  call{unix.SYS_IOCTL, [6]uint64{0, high | 4}},
			control: call{unix.SYS_IOCTL, [6]uint64{0, high | 5}},
		},
		{
			name: "flags that clone cuts itself", defaultAction: allow,
			rules:   []specs.LinuxSyscall{on(deny, "clone", arg{Index: 0, Op: specs.OpMaskedEqual, Value: high | 0x10000000, ValueTwo: 0x10000000})},
			want:    []string{"the kernel reads 32 bits of argument 0 of clone and the filter compares 64, so 0x110000000 passes the condition SCMP_CMP_MASKED_EQ 4563402752; write op SCMP_CMP_MASKED_EQ, value 268435456, valueTwo 268435456"},
			passes:  call{unix.SYS_CLONE, [6]uint64{high | 0x10000000}},
			control: call{unix.SYS_CLONE, [6]uint64{high | 0x11}},
		},
		{
			name: "two names, of which one takes all 64 bits", defaultAction: allow,
			rules:  []specs.LinuxSyscall{{Names: []string{"socket", "munmap"}, Action: deny, Args: []arg{eq(0, 1)}}},
			want:   []string{"the kernel reads 32 bits of argument 0 of socket and the filter compares 64, so 0x100000001 passes the condition SCMP_CMP_EQ 1; write rules that compare the low bits with SCMP_CMP_MASKED_EQ, a rule for each name"},
			passes: call{unix.SYS_SOCKET, [6]uint64{high | 1}}, noFix: true,
		},
		// What nothing passes.
		{name: "an allow-list of values", defaultAction: deny, rules: []specs.LinuxSyscall{on(allow, "personality", eq(0, 0)), on(allow, "personality", eq(0, 0xffffffff))}},
		{name: "an allowed negative number", defaultAction: deny, rules: []specs.LinuxSyscall{on(allow, "openat", eq(0, 0xffffffffffffff9c))}},
		{name: "allowed below a bound", defaultAction: deny, rules: []specs.LinuxSyscall{on(allow, "socket", arg{Index: 0, Op: specs.OpLessThan, Value: 38})}},
		{name: "containerd's clone", defaultAction: deny, rules: []specs.LinuxSyscall{on(allow, "clone", arg{Index: 0, Op: specs.OpMaskedEqual, Value: 0x7e020000})}},
		{name: "the masked form", defaultAction: allow, rules: []specs.LinuxSyscall{on(deny, "socket", arg{Index: 0, Op: specs.OpMaskedEqual, Value: 0xffffffff, ValueTwo: 1})}},
		{name: "denied above a bound", defaultAction: allow, rules: []specs.LinuxSyscall{on(deny, "socket", arg{Index: 0, Op: specs.OpGreaterThan, Value: 5})}},
		{name: "high bits are denied by themselves", defaultAction: allow, rules: []specs.LinuxSyscall{
			on(deny, "socket", eq(0, 1)), on(deny, "socket", arg{Index: 0, Op: specs.OpGreaterThan, Value: 0xffffffff}),
		}},
		{name: "denied whatever the arguments", defaultAction: allow, rules: []specs.LinuxSyscall{on(deny, "socket", eq(0, 1)), on(deny, "socket")}},
		{name: "an argument of 64 bits", defaultAction: allow, rules: []specs.LinuxSyscall{on(deny, "munmap", eq(0, 1))}},
		{name: "a rule that only changes the errno", defaultAction: deny, rules: []specs.LinuxSyscall{{Names: []string{"socket"}, Action: deny, ErrnoRet: new(uint), Args: []arg{eq(0, 1)}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := specs.LinuxSeccomp{DefaultAction: tt.defaultAction, Architectures: []specs.Arch{specs.ArchX86_64}, Syscalls: tt.rules}
			found, err := semantics.PassedByHighBits(&s)
			var got []string
			for _, h := range found {
				got = append(got, h.String())
			}
			if err != nil || !slices.Equal(got, tt.want) {
				t.Fatalf("got  %q (%v)\nwant %q", got, err, tt.want)
			}
			if len(tt.want) == 0 {
				return
			}
			allowed := func(s specs.LinuxSeccomp, c call) bool {
				t.Helper()
				p, err := filter.Compile(&s)
				if err != nil {
					t.Fatal(err)
				}
				r, err := p.Run(filter.Call{Arch: unix.AUDIT_ARCH_X86_64, Nr: c.nr, Args: c.args})
				if err != nil {
					t.Fatal(err)
				}
				return r.String() == "ALLOW"
			}
			if !allowed(s, tt.passes) {
				t.Error("the call does not pass the profile as it is written")
			}
			if tt.noFix {
				return
			}
			s.Syscalls = nil
			for i, rule := range tt.rules {
				at := slices.IndexFunc(found, func(h semantics.HighBits) bool { return h.Rule == i })
				if at < 0 {
					s.Syscalls = append(s.Syscalls, rule)
					continue
				}
				for _, c := range found[at].Instead {
					rule.Args = slices.Clone(rule.Args)
					rule.Args[found[at].Arg] = c
					s.Syscalls = append(s.Syscalls, rule)
				}
			}
			if again, err := semantics.PassedByHighBits(&s); err != nil || len(again) > 0 {
				t.Errorf("in the masked form: %v %v", again, err)
			}
			if allowed(s, tt.passes) || !allowed(s, tt.control) {
				t.Errorf("in the masked form the call is allowed: %v; the control: %v", allowed(s, tt.passes), allowed(s, tt.control))
			}
		})
	}
}
