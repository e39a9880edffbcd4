package filter_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// without is a runtime that skips names which the linked libseccomp knows.
func without(names ...string) syscalls.Runtime {
	r := filter.Linked()
	r.Path = "/usr/bin/old"
	r.Lacks = slices.Sorted(slices.Values(append(slices.Clone(r.Lacks), names...)))
	return r
}

// What is compared by number is what libseccomp makes of the same rules by name.
func TestByNumberIsByName(t *testing.T) {
	values := []uint64{0, 1, 5, 0xffffffff, 1 << 32, 5<<32 | 7, 1<<64 - 1}
	errno := uint(38)
	for _, op := range []specs.LinuxSeccompOperator{
		specs.OpEqualTo, specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual,
		specs.OpGreaterThan, specs.OpGreaterEqual, specs.OpMaskedEqual,
	} {
		for _, value := range values {
			s := specs.LinuxSeccomp{
				DefaultAction: specs.ActAllow,
				Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
				Syscalls: []specs.LinuxSyscall{
					{Names: []string{"keyctl", "add_key"}, Action: specs.ActErrno, ErrnoRet: &errno, Args: []specs.LinuxSeccompArg{
						{Index: 1, Op: specs.OpEqualTo, Value: 3},
						{Index: 3, Op: op, Value: value, ValueTwo: value & 0x100000005},
					}},
					{Names: []string{"bpf"}, Action: specs.ActKillProcess, Args: []specs.LinuxSeccompArg{{Index: 0, Op: op, Value: value, ValueTwo: 4}}},
					{Names: []string{"mount"}, Action: specs.ActTrap},
				},
			}
			byName, err := filter.Compile(&s)
			if err != nil {
				t.Fatal(err)
			}
			old := without("keyctl", "add_key", "bpf", "mount")
			byNumber, err := filter.Demand(&s, old)
			if err != nil {
				t.Fatal(err)
			}
			w, err := filter.Equal(filter.Stack{byName}, filter.Stack{byNumber})
			if err != nil || w != nil {
				t.Errorf("%s %#x: %v, %v", op, value, w, err)
			}
			reads, err := filter.CompileFor(&s, old)
			if err != nil {
				t.Fatal(err)
			}
			w, err = filter.Subsumes(filter.Stack{byNumber}, filter.Stack{reads})
			if err != nil || w == nil {
				t.Errorf("%s %#x: a runtime that skips all rules is as strict: %v", op, value, err)
			}
		}
	}
}

// A rule that runtimes skip is proved of none that skips it.
func TestDemandOfNewerCalls(t *testing.T) {
	denies := func(names ...string) *specs.LinuxSeccomp {
		return &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow,
			Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
			Syscalls:      []specs.LinuxSyscall{{Names: names, Action: specs.ActErrno}},
		}
	}
	allows := &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno,
		Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"read", "keyctl"}, Action: specs.ActAllow}},
	}
	old, newer := syscalls.RuntimeOfVersion("/usr/bin/runc", "2.5.4"), syscalls.RuntimeOfVersion("/usr/bin/runc", "2.6.1")
	for _, tc := range []struct {
		name           string
		floor, profile *specs.LinuxSeccomp
		runtime        syscalls.Runtime
		want           string
	}{
		{name: "missing", floor: denies("keyctl", "mseal"), profile: denies("keyctl"), runtime: old, want: "mseal() on x86: ERRNO(EPERM) against ALLOW"},
		{name: "missing, newer runtime", floor: denies("keyctl", "mseal"), profile: denies("keyctl"), runtime: newer, want: "mseal() on x86: ERRNO(EPERM) against ALLOW"},
		{name: "skipped", floor: denies("keyctl", "mseal"), profile: denies("keyctl", "mseal"), runtime: old, want: "mseal() on x86: ERRNO(EPERM) against ALLOW"},
		{name: "known", floor: denies("keyctl", "mseal"), profile: denies("keyctl", "mseal"), runtime: newer},
		{name: "known, the newest", floor: denies("listns"), profile: denies("listns", "open_tree_attr"), runtime: newer},
		{name: "an allow-list", floor: denies("bpf", "mseal"), profile: allows, runtime: old},
		{name: "no runtime", floor: denies("mseal"), profile: denies("mseal"), want: "mseal() on x86: ERRNO(EPERM) against ALLOW"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			floor, err := filter.Demand(tc.floor, tc.runtime)
			if err != nil {
				t.Fatal(err)
			}
			own, err := filter.CompileFor(tc.profile, tc.runtime)
			if err != nil {
				t.Fatal(err)
			}
			w, err := filter.Subsumes(filter.Stack{floor}, filter.Stack{own})
			got := ""
			if w != nil {
				got = w.String()
			}
			if err != nil || got != tc.want {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

// A name that nobody knows the number of proves nothing.
func TestDemandOfUnknownNames(t *testing.T) {
	rule := func(name string, action specs.LinuxSeccompAction) *specs.LinuxSeccomp {
		return &specs.LinuxSeccomp{
			DefaultAction: specs.ActErrno,
			Syscalls:      []specs.LinuxSyscall{{Names: []string{"read", name}, Action: action}},
		}
	}
	const unknown = `"newer_than_batten" is no system call that batten knows, so a rule on it cannot be compared: correct the name, or take it out`
	for _, r := range []syscalls.Runtime{{}, syscalls.RuntimeOfNames("x", "9.0.0", []string{"read", "newer_than_batten"})} {
		if _, err := filter.Demand(rule("newer_than_batten", specs.ActKillProcess), r); err == nil || err.Error() != unknown {
			t.Errorf("%v: got %v, want %s", r, err, unknown)
		}
		for _, s := range []*specs.LinuxSeccomp{
			rule("newer_than_batten", specs.ActErrno), rule("newer_than_batten", specs.ActAllow), rule("mseal", specs.ActKillProcess),
		} {
			if _, err := filter.Demand(s, r); err != nil {
				t.Errorf("%v: %v", r, err)
			}
		}
	}
}

// A newer runtime's filter and its stub reach as far as its names do.
func TestNewerRuntimeThanTheLinkedLibrary(t *testing.T) {
	newer := syscalls.RuntimeOfVersion("/usr/bin/runc", "2.6.1")
	s := &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno,
		Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"read", "setxattrat"}, Action: specs.ActAllow}},
	}
	p, err := filter.CompileFor(s, newer)
	if err != nil {
		t.Fatal(err)
	}
	for nr, want := range map[uint32]string{0: "ALLOW", 462: "ERRNO(EPERM)", 463: "ALLOW", 464: "ERRNO(ENOSYS)"} {
		got, err := p.Run(filter.Call{Arch: 0xc000003e, Nr: nr})
		if err != nil || got.String() != want {
			t.Errorf("syscall %d: got %v, %v; want %s", nr, got, err, want)
		}
	}
}

func denying(flags []specs.LinuxSeccompFlag) *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Flags: flags,
		Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: specs.ActErrno}},
	}
}

func notifying(path, metadata string) *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, ListenerPath: path, ListenerMetadata: metadata,
		Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: specs.ActNotify}},
	}
}

func flagList(flags ...specs.LinuxSeccompFlag) []specs.LinuxSeccompFlag {
	return append([]specs.LinuxSeccompFlag{}, flags...)
}

// flagCases are filters whose flags and listeners differ, and what is looser in one.
var flagCases = []struct {
	floor, own *specs.LinuxSeccomp
	flag, call string
	changes    int
}{
	{floor: denying(flagList()), own: denying(nil), flag: "SECCOMP_FILTER_FLAG_SPEC_ALLOW", changes: 1},
	{floor: denying(flagList()), own: denying(flagList(specs.LinuxSeccompFlagSpecAllow)), flag: "SECCOMP_FILTER_FLAG_SPEC_ALLOW", changes: 1},
	{floor: denying(flagList(specs.LinuxSeccompFlagLog)), own: denying(flagList()), flag: "SECCOMP_FILTER_FLAG_LOG", changes: 1},
	{floor: denying(flagList(specs.LinuxSeccompFlagLog)), own: denying(nil), flag: "SECCOMP_FILTER_FLAG_SPEC_ALLOW", changes: 2},
	{floor: denying(flagList()), own: denying(flagList())},
	{floor: denying(nil), own: denying(flagList(specs.LinuxSeccompFlagSpecAllow))},
	{floor: denying(nil), own: denying(flagList()), changes: 1},
	{floor: denying(nil), own: denying(flagList(specs.LinuxSeccompFlagLog)), changes: 2},
	{floor: notifying("/run/node", ""), own: notifying("/run/node", "")},
	{floor: notifying("/run/node", ""), own: notifying("/run/pod", ""), call: "keyctl() on amd64: NOTIFY against NOTIFY (another listener)", changes: 1},
	{floor: notifying("/run/node", "a"), own: notifying("/run/node", "b"), call: "keyctl() on amd64: NOTIFY against NOTIFY (another listener)", changes: 1},
	{floor: notifying("/run/node", ""), own: denying(nil), changes: 1},
	{floor: denying(nil), own: notifying("/run/pod", ""), call: "keyctl() on amd64: ERRNO(EPERM) against NOTIFY", changes: 1},
}

func TestFlagsAndListeners(t *testing.T) {
	for i, tc := range flagCases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			floor, err := filter.Compile(tc.floor)
			if err != nil {
				t.Fatal(err)
			}
			own, err := filter.Compile(tc.own)
			if err != nil {
				t.Fatal(err)
			}
			a, b := filter.Stack{floor}, filter.Stack{own}
			if got := filter.LooserFlags(a, b); got != tc.flag {
				t.Errorf("flag %q, want %q", got, tc.flag)
			}
			w, err := filter.Subsumes(a, b)
			call := ""
			if w != nil {
				call = w.String()
			}
			if err != nil || call != tc.call {
				t.Errorf("call %q, %v; want %q", call, err, tc.call)
			}
			changes, err := filter.Diff(a, b)
			if err != nil || len(changes) != tc.changes {
				t.Errorf("%d changes, %v; want %d: %+v", len(changes), err, tc.changes, changes)
			}
			own.Listener = "" // as of a filter that was read from the kernel
			if w, err := filter.Subsumes(a, b); err != nil || w != nil && tc.call != w.String() {
				t.Errorf("an unknown listener: %v, %v", w, err)
			}
		})
	}
}
