package semantics

import (
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
)

// libseccomp gives each name of the table the table's number: else CompareLive would
// take a runtime's filter for another profile's. What it does not know, and is not new,
// it does not know on x32, which lacks some of x86_64's calls.
func TestNumbersAreLibseccomps(t *testing.T) {
	arches := map[specs.Arch]libseccomp.ScmpArch{
		specs.ArchX86_64: libseccomp.ArchAMD64, specs.ArchX86: libseccomp.ArchX86, specs.ArchX32: libseccomp.ArchX32,
		specs.ArchAARCH64: libseccomp.ArchARM64, specs.ArchARM: libseccomp.ArchARM,
	}
	for arch, theirs := range arches {
		for _, e := range syscalls.Table {
			nr, ok := syscalls.Number(arch, e.Name)
			if !ok || arch == specs.ArchX32 || slices.Contains(NoCalls, e.Name) {
				continue
			}
			if _, behind := syscalls.Multiplexed[e.Name]; behind && arch == specs.ArchX86 {
				continue // a number of its own besides
			}
			got, err := libseccomp.GetSyscallFromNameByArch(e.Name, theirs)
			if err != nil && MayBeSkipped(arch, nr) {
				continue
			}
			if err != nil || int(got) != nr {
				t.Errorf("%s on %s: %d, libseccomp says %d (%v)", e.Name, arch, nr, got, err)
			}
		}
	}
}
