package suggest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// proved holds an answer against the compiled filters: the new one is nowhere stricter, lets
// each call through that is opened, and differs on no other.
func proved(t *testing.T, base *specs.LinuxSeccomp, a *Answer) {
	t.Helper()
	before, after := stack(t, base), stack(t, a.Profile)
	if w, err := filter.Subsumes(after, before); err != nil || w != nil {
		t.Errorf("the suggested profile is stricter: %v, %v", w, err)
	}
	changes, err := filter.Diff(before, after)
	if err != nil {
		t.Fatal(err)
	}
	want, got := make(map[string]bool), make(map[string]bool)
	for _, c := range a.Open {
		want[c.Name] = true
		nr, _ := syscalls.Number(c.Arch, c.Name)
		audit := uint32(unix.AUDIT_ARCH_X86_64)
		if c.Arch == specs.ArchX86 {
			audit = unix.AUDIT_ARCH_I386
		}
		call := filter.Call{Nr: uint32(nr), Arch: audit, Args: c.sample}
		if result, err := after.Run(call); err != nil || result.String() != "ALLOW" {
			t.Errorf("%s: %v, %v", c.Text, result, err)
		}
	}
	for _, c := range changes {
		if c.Kind == filter.Differs && (c.Witness.Second.String() == "ERRNO(ENOSYS)" || c.Witness.First.String() == "ERRNO(ENOSYS)") {
			continue // see newerOnes
		}
		if c.Kind != filter.Allows {
			t.Errorf("changes besides: %+v, %v", c, c.Witness)
		}
		got[c.Syscall] = true
		for _, o := range a.Open {
			if o.Name == c.Syscall && len(o.Args) > 0 && c.When == "" {
				t.Errorf("%s is open whatever its arguments", o.Text)
			}
		}
	}
	for _, by := range []string{"socketcall", "ipc"} { // Also says so
		if !want[by] {
			delete(got, by)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("differs on %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func stack(t *testing.T, s *specs.LinuxSeccomp) filter.Stack {
	t.Helper()
	p, err := filter.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return filter.Stack{p}
}

// The proof must not hold for a profile that allows another call, or does not allow this one.
func TestProofFails(t *testing.T) {
	base := profile.RuntimeDefault(nil)
	mbind := []Call{{Name: "mbind"}}
	vsock := []Call{{Name: "socket", Args: map[uint]uint64{0: 40}}}
	with := func(rules ...specs.LinuxSyscall) *specs.LinuxSeccomp {
		out := base
		out.Syscalls = slices.Concat(base.Syscalls, rules)
		return &out
	}
	for _, tt := range []struct {
		name  string
		next  *specs.LinuxSeccomp
		calls []Call
		want  string // of the error
	}{
		{name: "control", next: with(rulesFor(mbind)...), calls: mbind},
		{name: "control with a condition", next: with(rulesFor(vsock)...), calls: vsock},
		{name: "another call", next: with(specs.LinuxSyscall{Names: []string{"mbind", "bpf"}, Action: specs.ActAllow}), calls: mbind, want: "a line for it changes bpf on SCMP_ARCH_X86_64"},
		{name: "not allowed", next: with(), calls: mbind, want: "rules of the profile deny it whatever a line says"},
		{name: "more arguments", next: with(specs.LinuxSyscall{Names: []string{"socket"}, Action: specs.ActAllow}), calls: vsock, want: "a line for it changes other calls of socket"},
		{name: "another errno", next: with(slices.Concat(rulesFor(mbind), []specs.LinuxSyscall{{Names: []string{"bpf"}, Action: specs.ActErrno, ErrnoRet: &enosys}})...), calls: mbind, want: "a line for it changes bpf"},
	} {
		err := (&proof{base: &base, next: tt.next, calls: tt.calls, native: specs.ArchX86_64}).holds()
		if got := fmt.Sprint(err); (err == nil) != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Whatever is denied, the answer is proved, and each call is in one list.
func TestRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bases := []specs.LinuxSeccomp{small, lists, answersEnosys, profile.RuntimeDefault(nil), profile.RuntimeDefault([]string{"CAP_SYS_ADMIN", "CAP_SYS_PTRACE"})}
	for round := range 12 {
		base := bases[round%len(bases)]
		var all []denials.Denial
		for range random.IntN(20) {
			name := syscalls.Table[random.IntN(len(syscalls.Table))].Name
			if _, ok := syscalls.Number(specs.ArchX86_64, name); ok && filter.Linked().Knows(name) {
				all = append(all, denial(name))
			}
		}
		for range random.IntN(4) {
			all = append(all, looked("personality", uint64(random.Uint32())), looked("clone", uint64(random.Uint32())))
		}
		a, err := For(Question{Base: base, Denials: all, Dangerous: round%2 == 0})
		if err != nil {
			t.Fatal(round, err)
		}
		if a.Profile != nil {
			proved(t, &base, a)
		}
	}
}
