package floor_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestCoarse: the observing twin of the default profile under a floor on 32 bits of an argument that
// the profile looks at in 64 is too large to be exact. Where the result may be stricter, it keeps
// the profile's own conditions, and is nowhere looser than either.
func TestCoarse(t *testing.T) {
	eperm := uint(1)
	noAlg := specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"socket"}, Action: specs.ActErrno, ErrnoRet: &eperm, Args: []specs.LinuxSeccompArg{
			{Index: 0, Value: 0xffffffff, ValueTwo: 38, Op: specs.OpMaskedEqual},
		}}},
	}
	for _, mode := range []observe.Mode{observe.Count, observe.Audit} {
		for _, beside := range []bool{false, true} {
			twin, err := observe.Profile(observe.Request{Seccomp: profile.RuntimeDefault(nil), Mode: mode, Beside: beside, ListenerPath: "/x"})
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := floor.Floor(noAlg, twin.Seccomp, floor.Limits{}); err == nil {
				t.Errorf("mode %v, beside %v: an exact result is found: this test tests nothing", mode, beside)
			}
			out, notes, err := floor.Floor(noAlg, twin.Seccomp, floor.Limits{Coarse: true})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(notes, "\n"), "stricter on SCMP_ARCH_X86_64, where rules cannot tell the calls apart: socket") {
				t.Errorf("notes: %q", notes)
			}
			result, err := filter.Compile(&out.Seccomp)
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range []specs.LinuxSeccomp{noAlg, twin.Seccomp} {
				program, err := filter.Compile(&other)
				if err != nil {
					t.Fatal(err)
				}
				if looser, err := filter.Subsumes(filter.Stack{program}, filter.Stack{result}); looser != nil || err != nil {
					t.Errorf("mode %v, beside %v: looser: %v, %v", mode, beside, looser, err)
				}
			}
		}
	}
}
