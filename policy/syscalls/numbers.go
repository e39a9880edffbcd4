package syscalls

import (
	"sync"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// byNumber has the names of each architecture's calls by number, without x32's bit, as far as
// they have been asked for. Few programs ask for more than one architecture.
var byNumber sync.Map // specs.Arch to []string

func callsOn(arch specs.Arch) []string {
	if known, ok := byNumber.Load(arch); ok {
		return known.([]string)
	}
	var out []string
	for _, e := range Table {
		nr, ok := Number(arch, e.Name)
		if !ok {
			continue
		}
		for nr &^= X32Bit; len(out) <= nr; {
			out = append(out, "")
		}
		out[nr] = e.Name
	}
	byNumber.Store(arch, out)
	return out
}

// CallAt returns the name of the call that has a number on arch; it is empty where
// Batten knows none.
func CallAt(arch specs.Arch, nr int) string {
	if (nr&X32Bit != 0) != (arch == specs.ArchX32) {
		return ""
	}
	calls := callsOn(arch)
	if nr &^= X32Bit; nr < 0 || nr >= len(calls) {
		return ""
	}
	return calls[nr]
}

// IsSyscall reports whether some architecture of Linux has a call of that name, as far
// as Batten knows.
func IsSyscall(name string) bool {
	_, known := Arches(name)
	return known
}

// Is64 reports whether filters see the arguments' full 64 bits on arch.
func Is64(arch specs.Arch) bool { return arch == specs.ArchX86_64 || arch == specs.ArchAARCH64 }
