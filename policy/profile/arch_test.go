package profile

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestForArchitectures(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the ABIs in this test are those of amd64")
	}
	all := []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}
	allow := func(names ...string) []specs.LinuxSyscall {
		return []specs.LinuxSyscall{{Names: names, Action: specs.ActAllow}}
	}
	// _llseek is i386's alone, arm_fadvise64_64 ARM's, send multiplexed on
	// i386, newer_than_all of no table.
	names := allow("read", "_llseek", "arm_fadvise64_64", "send", "newer_than_all")
	for _, tt := range []struct {
		name   string
		mode   Architectures
		abis   ABIs
		arches []specs.Arch
		kept   string
		notes  int
	}{
		{"as written", AsWritten, ABIs{Probed: true}, all, "read _llseek arm_fadvise64_64 send newer_than_all", 0},
		{"not probed", Auto, ABIs{}, all, "read _llseek arm_fadvise64_64 send newer_than_all", 0},
		{"runs all", Auto, ABIs{Probed: true, X86: true, X32: true}, all, "read _llseek arm_fadvise64_64 send newer_than_all", 0},
		{"no x32", Auto, ABIs{Probed: true, X86: true}, all[:2], "read _llseek send newer_than_all", 1},
		{"neither", Auto, ABIs{Probed: true}, all[:1], "read newer_than_all", 2},
		{"native", Native, ABIs{}, all[:1], "read newer_than_all", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: all, Syscalls: names}
			out, notes := ForArchitectures(in, tt.mode, tt.abis)
			if !slices.Equal(out.Architectures, tt.arches) {
				t.Errorf("architectures: got %v, want %v", out.Architectures, tt.arches)
			}
			if got := strings.Join(out.Syscalls[0].Names, " "); got != tt.kept {
				t.Errorf("names: got  %s\nwant %s", got, tt.kept)
			}
			if len(notes) != tt.notes {
				t.Errorf("notes: %q", notes)
			}
			if len(in.Architectures) != 3 || len(in.Syscalls[0].Names) != 5 {
				t.Error("the input was changed")
			}
		})
	}
}

func TestLookup(t *testing.T) {
	for _, tt := range []struct {
		name  string
		on    archSet
		known bool
	}{
		{"read", onX8664 | onX86 | onAarch64 | onARM, true},
		{"_llseek", onX86 | onARM, true},
		{"accept", onX8664 | onX86 | onAarch64 | onARM, true}, // socketcall on i386
		{"s390_pci_mmio_read", 0, true},
		{"nonsense", 0, false},
		{"", 0, false},
	} {
		if on, known := lookup(tt.name); on != tt.on || known != tt.known {
			t.Errorf("%q: got %04b, %v; want %04b, %v", tt.name, on, known, tt.on, tt.known)
		}
	}
	if !slices.IsSortedFunc(syscallTable[:], func(a, b syscallName) int { return strings.Compare(a.name, b.name) }) {
		t.Error("the table is not sorted")
	}
}

// The probe agrees with the kernel's own word where that can be had.
func TestProbeABIs(t *testing.T) {
	abis := ProbeABIs()
	if filtered() || runtime.GOARCH != "amd64" {
		if abis.Probed {
			t.Errorf("got %+v where nothing can be known", abis)
		}
		return
	}
	if !abis.Probed {
		t.Fatal("not probed")
	}
	if again := ProbeABIs(); again != abis {
		t.Errorf("a second probe says %+v, the first %+v", again, abis)
	}
}
