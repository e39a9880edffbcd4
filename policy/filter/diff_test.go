package filter_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Numbers are named by the arch that the program has found out on the way to
// them, wherever that is in the listing.
func TestDisassembleNamesByArch(t *testing.T) {
	program, err := filter.Compile(&specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno,
		Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{
			{Names: []string{"read"}, Action: specs.ActAllow},
			{Names: []string{"socket"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: 38}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(program.Disassemble(), "\n")
	for _, want := range []string{"== 0x0 then", "; read", "== 0x3 then", "== 0x29 then", "; socket", "== 0x66 then", "; socketcall", "load arg0, low half", "return KILL_THREAD"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, not := range []string{"; close", "; getuid"} { // what 3 and 102 are on x86_64
		if strings.Contains(text, not) {
			t.Errorf("%q in\n%s", not, text)
		}
	}
}
