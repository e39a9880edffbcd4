package profile

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Architectures says which ABIs stay in a profile that Batten supplies.
type Architectures string

const (
	// Auto leaves out ABIs that this kernel cannot run.
	Auto Architectures = "auto"
	// Native keeps the machine's own ABI only; calls through others are killed.
	Native Architectures = "native"
	// AsWritten changes nothing.
	AsWritten Architectures = "as-written"
)

// ABIs says which foreign ABIs the running kernel can run. The zero value means unknown:
// then no ABI is left out.
type ABIs struct {
	// Probed is set if the other fields are known.
	Probed bool `json:"probed"`
	// X86 is set where i386 programs run (CONFIG_IA32_EMULATION, and not
	// switched off at boot), X32 where x32 ones do (CONFIG_X86_X32_ABI).
	X86 bool `json:"x86"`
	X32 bool `json:"x32"`
	// ARM is set where 32-bit ARM programs run on arm64 (CONFIG_COMPAT, and a processor
	// that has AArch32).
	ARM bool `json:"arm,omitempty"`
}

// lacks reports whether the kernel is known not to run arch.
func (a ABIs) lacks(arch specs.Arch) bool {
	switch {
	case !a.Probed:
		return false
	case runtime.GOARCH == "amd64":
		return arch == specs.ArchX86 && !a.X86 || arch == specs.ArchX32 && !a.X32
	}
	return runtime.GOARCH == "arm64" && arch == specs.ArchARM && !a.ARM
}

// Runs reports whether the kernel may run programs of arch.
func (a ABIs) Runs(arch specs.Arch) bool { return !a.lacks(arch) }

// ForArchitectures returns s without the ABIs that mode leaves out, and without the names
// that only these ABIs have, which would only cost libseccomp time. A call through an ABI
// that is not listed is killed, so the result is never looser. Notes say what was left out.
func ForArchitectures(s specs.LinuxSeccomp, mode Architectures, abis ABIs) (out specs.LinuxSeccomp, notes []string) {
	native := syscalls.Native[runtime.GOARCH]
	drop := func(arch specs.Arch) bool {
		switch {
		case arch == native:
			return false
		case mode == Native:
			notes = append(notes, fmt.Sprintf("%s left out: architectures is native", arch))
			return true
		case mode == Auto && abis.lacks(arch):
			notes = append(notes, fmt.Sprintf("%s left out: this kernel cannot run it", arch))
			return true
		}
		return false
	}
	out = s
	out.Architectures = slices.DeleteFunc(slices.Clone(s.Architectures), drop)
	if len(notes) > 0 {
		out.Syscalls = dropNames(s.Syscalls, append(out.Architectures, native))
	}
	return out, notes
}

// dropNames removes the names that none of arches has. Names that no table has stay: a newer
// libseccomp may know them.
func dropNames(rules []specs.LinuxSyscall, arches []specs.Arch) []specs.LinuxSyscall {
	var keep syscalls.ArchSet
	for _, arch := range arches {
		on, known := syscalls.SetOf[arch]
		if !known {
			return rules
		}
		keep |= on
	}
	gone := func(name string) bool {
		on, known := syscalls.Arches(name)
		return known && on&keep == 0
	}
	out := make([]specs.LinuxSyscall, 0, len(rules))
	for _, rule := range rules {
		rule.Names = slices.DeleteFunc(slices.Clone(rule.Names), gone)
		if len(rule.Names) > 0 {
			out = append(out, rule)
		}
	}
	return out
}
