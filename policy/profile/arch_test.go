package profile

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var (
	allArches = []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}
	// _llseek is i386's alone, arm_fadvise64_64 ARM's, send multiplexed on
	// i386, newer_than_all of no table.
	ofArches = allowing("read", "_llseek", "arm_fadvise64_64", "send", "newer_than_all")
)

func allowing(names ...string) []specs.LinuxSyscall {
	return []specs.LinuxSyscall{{Names: names, Action: specs.ActAllow}}
}

// architectureCases are profiles and what is left of them on a machine.
var architectureCases = []struct {
	name   string
	mode   Architectures
	abis   ABIs
	arches []specs.Arch
	kept   string
	notes  int
}{
	{
		name: "as written", mode: AsWritten, abis: ABIs{Probed: true}, arches: allArches,
		kept: "read _llseek arm_fadvise64_64 send newer_than_all",
	},
	{
		name: "not probed", mode: Auto, abis: ABIs{}, arches: allArches,
		kept: "read _llseek arm_fadvise64_64 send newer_than_all",
	},
	{
		name: "runs all", mode: Auto, abis: ABIs{Probed: true, X86: true, X32: true},
		arches: allArches, kept: "read _llseek arm_fadvise64_64 send newer_than_all",
	},
	{
		name: "no x32", mode: Auto, abis: ABIs{Probed: true, X86: true}, arches: allArches[:2],
		kept: "read _llseek send newer_than_all", notes: 1,
	},
	{
		name: "neither", mode: Auto, abis: ABIs{Probed: true}, arches: allArches[:1],
		kept: "read newer_than_all", notes: 2,
	},
	{
		name: "native", mode: Native, abis: ABIs{}, arches: allArches[:1],
		kept: "read newer_than_all", notes: 2,
	},
}

func TestForArchitectures(t *testing.T) {
	testneeds.Arch(t, "amd64", "the ABIs in this test are those of amd64")
	for _, tt := range architectureCases {
		t.Run(tt.name, func(t *testing.T) {
			in := specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: allArches, Syscalls: ofArches}
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

// TestForArchitecturesARM: on arm64 32-bit ARM is left out where no such program runs.
func TestForArchitecturesARM(t *testing.T) {
	testneeds.Arch(t, "arm64", "the other ABI is that of 32-bit ARM")
	all := []specs.Arch{specs.ArchAARCH64, specs.ArchARM}
	in := specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: all, Syscalls: []specs.LinuxSyscall{
		{Names: []string{"read", "_llseek", "arm_fadvise64_64"}, Action: specs.ActAllow},
	}}
	for _, tt := range []struct {
		abis   ABIs
		arches int
		names  int
	}{
		{abis: ABIs{}, arches: 2, names: 3},
		{abis: ABIs{Probed: true, ARM: true}, arches: 2, names: 3},
		{abis: ABIs{Probed: true}, arches: 1, names: 1},
	} {
		out, _ := ForArchitectures(in, Auto, tt.abis)
		if len(out.Architectures) != tt.arches || len(out.Syscalls[0].Names) != tt.names {
			t.Errorf("%+v: got %v, %v", tt.abis, out.Architectures, out.Syscalls)
		}
	}
}

func TestLookup(t *testing.T) {
	for _, tt := range []struct {
		name  string
		on    syscalls.ArchSet
		known bool
	}{
		{
			name:  "read",
			on:    syscalls.OnX8664 | syscalls.OnX86 | syscalls.OnAarch64 | syscalls.OnARM,
			known: true,
		},
		{name: "_llseek", on: syscalls.OnX86 | syscalls.OnARM, known: true},
		{
			name:  "accept",
			on:    syscalls.OnX8664 | syscalls.OnX86 | syscalls.OnAarch64 | syscalls.OnARM,
			known: true,
		}, // socketcall on i386
		{name: "s390_pci_mmio_read", known: true},
		{name: "nonsense"},
		{},
	} {
		if on, known := syscalls.Arches(tt.name); on != tt.on || known != tt.known {
			t.Errorf("%q: got %04b, %v; want %04b, %v", tt.name, on, known, tt.on, tt.known)
		}
	}
	if !slices.IsSortedFunc(syscalls.Table[:], func(a, b syscalls.Entry) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the table is not sorted")
	}
}
