package semantics_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What is changed is said in a few words. policy/filter compares the lists with libseccomp.
func TestBetweenInWords(t *testing.T) {
	x86 := []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}
	denies := func(arches []specs.Arch, action specs.LinuxSeccompAction, names ...string) *specs.LinuxSeccomp {
		return &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow, Architectures: arches,
			Syscalls: []specs.LinuxSyscall{{Names: names, Action: action}},
		}
	}
	family := denies(x86, specs.ActErrno, "socket")
	family.Syscalls[0].Args = []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: 38}}
	flags := denies(x86, specs.ActErrno, "bpf")
	flags.Flags = []specs.LinuxSeccompFlag{}
	said := denies(x86, specs.ActErrno, "bpf")
	said.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagSpecAllow}
	usual := profile.RuntimeDefault(nil)
	for _, tt := range []struct {
		name string
		a, b *specs.LinuxSeccomp
		want string
	}{
		{name: "equal", a: &usual, b: &usual, want: "change nothing"},
		{name: "no filter either way", want: "change nothing"},
		{name: "no filter before", b: denies(x86, specs.ActErrno, "add_key", "keyctl", "mount", "acct"), want: "deny 4 calls: mount, keyctl, add_key, …"},
		{name: "one call", a: denies(x86, specs.ActErrno, "bpf"), b: denies(x86, specs.ActErrno, "bpf", "mount"), want: "deny 1 call: mount"},
		{name: "looser", a: denies(x86, specs.ActErrno, "bpf", "mount"), b: denies(x86, specs.ActErrno, "bpf"), want: "allow 1 call: mount"},
		{name: "both ways", a: denies(x86, specs.ActErrno, "bpf"), b: denies(x86, specs.ActErrno, "mount"), want: "deny 1 call: mount; allow 1 call: bpf"},
		{name: "some arguments", a: denies(x86, specs.ActErrno, "bpf"), b: family, want: "deny 2 calls: socket (some), socketcall (some); allow 1 call: bpf"},
		{name: "another way", a: denies(x86, specs.ActErrno, "bpf"), b: denies(x86, specs.ActKillProcess, "bpf"), want: "answer 1 call otherwise: bpf"},
		{name: "an architecture less", a: denies(x86, specs.ActErrno, "bpf"), b: denies(x86[:2], specs.ActErrno, "bpf"), want: "kill programs of SCMP_ARCH_X32"},
		{name: "an architecture more", a: denies(x86[:2], specs.ActErrno, "bpf"), b: denies(x86, specs.ActErrno, "bpf"), want: "let programs of SCMP_ARCH_X32 run"},
		{name: "a rule without effect", a: denies(x86, specs.ActErrno, "bpf"), b: denies(x86, specs.ActErrno, "bpf", "no_such_call"), want: "change nothing"},
		{name: "flags", a: denies(x86, specs.ActErrno, "bpf"), b: flags, want: "load the filter with other flags"},
		{name: "flags that are there without a list", a: denies(x86, specs.ActErrno, "bpf"), b: said, want: "change nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := semantics.Between(tt.a, tt.b, nil)
			if err != nil || c.String() != tt.want {
				t.Errorf("%s (%v), want %s", c, err, tt.want)
			}
			if c.None() != (tt.want == "change nothing") {
				t.Errorf("none: %v", c.None())
			}
		})
	}
}

// An architecture that the kernel does not run is no change.
func TestBetweenLeavesOutArchitectures(t *testing.T) {
	all := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64}}
	runs := func(arch specs.Arch) bool { return arch == specs.ArchX86_64 }
	if c, err := semantics.Between(nil, &all, runs); err != nil || !c.None() {
		t.Errorf("%s (%v)", c, err)
	}
	if c, err := semantics.Between(nil, &all, nil); err != nil || len(c.Closed) != 2 {
		t.Errorf("%s (%v)", c, err)
	}
}

// What cannot be told is an error, never "change nothing".
func TestBetweenFails(t *testing.T) {
	usual := profile.RuntimeDefault(nil)
	large := usual
	large.Syscalls = []specs.LinuxSyscall{{Names: strings.Fields(strings.Repeat("read ", semantics.MaxNames+1)), Action: specs.ActAllow}}
	odd := usual
	odd.DefaultAction = "SCMP_ACT_ODD"
	for want, s := range map[string]*specs.LinuxSeccomp{
		"the first profile: its rules have 8193 names together":                   &large,
		`the first profile: defaultAction "SCMP_ACT_ODD" is none that runc takes`: &odd,
	} {
		if c, err := semantics.Between(s, &usual, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s (%v), want %s", c, err, want)
		}
	}
}

func BenchmarkBetween(b *testing.B) {
	usual := profile.RuntimeDefault(nil)
	for b.Loop() {
		if _, err := semantics.Between(nil, &usual, nil); err != nil {
			b.Fatal(err)
		}
	}
}
