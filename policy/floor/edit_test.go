package floor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// socketALG returns a rule on socket(AF_ALG).
func socketALG(action specs.LinuxSeccompAction) []specs.LinuxSyscall {
	alg := []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpMaskedEqual, Value: 0xffffffff, ValueTwo: 38}}
	return []specs.LinuxSyscall{{Names: []string{"socket"}, Action: action, Args: alg}}
}

// multiplexedEdits are edits of calls behind i386's multiplexers.
var multiplexedEdits = []struct {
	name           string
	from           specs.LinuxSeccomp
	edits          semantics.Edits
	alg, inet      string // through socketALG, on both ABIs
	viaSocketcall  string
	viaBind, notes string
}{
	{
		name: "deny", from: profile.RuntimeDefault(nil), edits: semantics.Edits{Deny: socketALG(specs.ActErrno)},
		alg: "ERRNO(EPERM)", inet: "ALLOW", viaSocketcall: "ERRNO(ENOSYS)", viaBind: "ALLOW", // no rule repeats the default
		notes: "deny: 32-bit programs that make socket through socketcall or ipc are denied it whatever its arguments, which no filter sees there",
	},
	{
		name:  "allow",
		from:  specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86}, Syscalls: []specs.LinuxSyscall{{Names: []string{"read", "bind", "statx"}, Action: specs.ActAllow}}},
		edits: semantics.Edits{Allow: socketALG(specs.ActAllow)},
		alg:   "ALLOW", inet: "ERRNO(EPERM)", viaSocketcall: "ERRNO(ENOSYS)", viaBind: "ALLOW", // no rule repeats the default
		notes: "allow: 32-bit programs that make socket through socketcall or ipc are not allowed it, since no filter sees its arguments there",
	},
	{
		name:  "allow whole",
		from:  specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86}, Syscalls: []specs.LinuxSyscall{{Names: []string{"read", "bind", "statx"}, Action: specs.ActAllow}}},
		edits: semantics.Edits{Allow: []specs.LinuxSyscall{{Names: []string{"socket"}}}},
		alg:   "ALLOW", inet: "ALLOW", viaSocketcall: "ALLOW", viaBind: "ALLOW",
	},
}

// What i386's programs have in memory is denied whole, and is not allowed.
func TestEditMultiplexed(t *testing.T) {
	for _, tt := range multiplexedEdits {
		t.Run(tt.name, func(t *testing.T) {
			out, notes, err := floor.Edit(tt.from, tt.edits, floor.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(notes, "\n"); !strings.HasPrefix(got, tt.notes) || tt.notes == "" && got != "" {
				t.Errorf("notes %q, want %q", got, tt.notes)
			}
			program, err := filter.Compile(&out)
			if err != nil {
				t.Fatal(err)
			}
			const x8664, i386 = 0xc000003e, 0x40000003
			for _, call := range []struct {
				of, want string
				filter.Call
			}{
				{"socket(AF_ALG)", tt.alg, filter.Call{Arch: x8664, Nr: 41, Args: [6]uint64{38}}},
				{"socket(AF_ALG) with high bits", tt.alg, filter.Call{Arch: x8664, Nr: 41, Args: [6]uint64{1<<32 + 38}}},
				{"socket(AF_INET)", tt.inet, filter.Call{Arch: x8664, Nr: 41, Args: [6]uint64{2}}},
				{"i386's socket(AF_ALG)", tt.alg, filter.Call{Arch: i386, Nr: 359, Args: [6]uint64{38}}},
				{"i386's socket(AF_INET)", tt.inet, filter.Call{Arch: i386, Nr: 359, Args: [6]uint64{2}}},
				{"socketcall(SYS_SOCKET)", tt.viaSocketcall, filter.Call{Arch: i386, Nr: 102, Args: [6]uint64{1, 0xffff0000}}},
				{"socketcall(SYS_BIND)", tt.viaBind, filter.Call{Arch: i386, Nr: 102, Args: [6]uint64{2, 0xffff0000}}},
			} {
				if got, err := program.Run(call.Call); err != nil || got.String() != call.want {
					t.Errorf("%s: %s (%v), want %s", call.of, got, err, call.want)
				}
			}
		})
	}
}

// Two conditions on one argument must both hold, which no profile can say by itself.
func TestEditTwoConditions(t *testing.T) {
	out, _, err := floor.Edit(specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, semantics.Edits{Deny: []specs.LinuxSyscall{{
		Names: []string{"prctl"}, Args: []specs.LinuxSeccompArg{{Op: specs.OpGreaterEqual, Value: 5}, {Op: specs.OpLessEqual, Value: 7}},
	}}}, floor.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	program, err := filter.Compile(&out)
	if err != nil {
		t.Fatal(err)
	}
	for option, want := range map[uint64]string{4: "ALLOW", 5: "ERRNO(EPERM)", 7: "ERRNO(EPERM)", 8: "ALLOW"} {
		if got, err := program.Run(filter.Call{Arch: 0xc000003e, Nr: 157, Args: [6]uint64{option}}); err != nil || got.String() != want {
			t.Errorf("prctl(%d): %s (%v), want %s", option, got, err, want)
		}
	}
}

// The kernel cuts the high half off the number of a call behind ipc.
func TestEditVersionOfIpc(t *testing.T) {
	for name, from := range map[string]specs.LinuxSeccomp{
		"RuntimeDefault": profile.RuntimeDefault(nil),
		"all allowed":    {DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86}},
	} {
		out, notes, err := floor.Edit(from, semantics.Edits{Deny: []specs.LinuxSyscall{{Names: []string{"semop"}}}}, floor.Limits{})
		if err != nil || !strings.Contains(strings.Join(notes, "\n"), "denied ipc with a version") {
			t.Fatalf("%s: %v, notes %q", name, err, notes)
		}
		program, err := filter.Compile(&out)
		if err != nil {
			t.Fatal(err)
		}
		for number, denied := range map[uint64]bool{1: true, 0x10001: true, 0xffff0001: true, 2: false} {
			got, err := program.Run(filter.Call{Arch: 0x40000003, Nr: 117, Args: [6]uint64{number}})
			if err != nil || got.Denies() != denied {
				t.Errorf("%s: ipc(%#x): %s (%v), want denied %v", name, number, got, err, denied)
			}
		}
	}
}

// A denial in what is allowed whole is cut out of that once, not out of each box of the profile.
func TestEditIsSmall(t *testing.T) {
	out, _, err := floor.Edit(profile.RuntimeDefault(nil), semantics.Edits{
		Allow: []specs.LinuxSyscall{{Names: []string{"socket"}}},
		Deny:  []specs.LinuxSyscall{{Names: []string{"socket"}, Args: []specs.LinuxSeccompArg{{Op: specs.OpMaskedEqual, Value: 0xffffffff, ValueTwo: 40}}}},
	}, floor.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, rule := range out.Syscalls {
		if slices.Contains(rule.Names, "socket") {
			rules++
		}
	}
	if rules > 32 { // a bit of the 32 differs
		t.Errorf("socket has %d rules", rules)
	}
}

// Deny wins over allow, narrows only, and of two denials the first counts.
func TestEditOrder(t *testing.T) {
	enosys := uint(38)
	p := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"ptrace"}, Action: specs.ActKillProcess}}}
	out, _, err := floor.Edit(p, semantics.Edits{
		Allow: []specs.LinuxSyscall{{Names: []string{"keyctl"}}},
		Deny:  []specs.LinuxSyscall{{Names: []string{"keyctl", "ptrace"}, ErrnoRet: &enosys}, {Names: []string{"keyctl", "bpf"}}},
	}, floor.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	program, err := filter.Compile(&out)
	if err != nil {
		t.Fatal(err)
	}
	for nr, want := range map[uint32]string{250: "ERRNO(ENOSYS)", 101: "KILL_PROCESS", 321: "ERRNO(EPERM)", 0: "ALLOW"} {
		if got, err := program.Run(filter.Call{Arch: 0xc000003e, Nr: nr}); err != nil || got.String() != want {
			t.Errorf("call %d: %s (%v), want %s", nr, got, err, want)
		}
	}
}
