package decode

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Call returns a call as text. Of a call that the package does not know it has the arguments
// that looked names: those by which a filter decides, by index.
func Call(arch specs.Arch, name string, args [6]uint64, looked map[uint]uint64) string {
	kinds, known := calls()[name]
	if !known {
		return name + "(" + strings.Join(chosen(looked), ", ") + ")"
	}
	var out []string
	for i, kind := range kinds {
		text := kind.text(Argument(arch, name, i, args[i]))
		if text == address && len(out) > 0 && out[len(out)-1] == address {
			continue
		}
		out = append(out, text)
	}
	return name + "(" + strings.Join(out, ", ") + ")" + beyond(arch, name, args, looked)
}

// Looked returns a call with those of its arguments alone that looked has, by index.
func Looked(arch specs.Arch, name string, looked map[uint]uint64) string {
	var out []string
	kinds := calls()[name]
	for _, i := range slices.Sorted(maps.Keys(looked)) {
		for uint(len(out)) < i {
			out = append(out, address)
		}
		text := fmt.Sprintf("arg%d=%#x", i, looked[i])
		if i < uint(len(kinds)) {
			text = kinds[i].text(Argument(arch, name, int(i), looked[i]))
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return name
	}
	return name + "(" + strings.Join(out, ", ") + ")"
}

// beyond returns the arguments by which a filter decides and of which the kernel reads less
// than the filter compares: what is written in words does not say then why a call was denied.
func beyond(arch specs.Arch, name string, args [6]uint64, looked map[uint]uint64) (text string) {
	for _, i := range slices.Sorted(maps.Keys(looked)) {
		if i < uint(len(args)) && Argument(arch, name, int(i), args[i]) != args[i] {
			text += fmt.Sprintf(" [arg%d=%#x]", i, args[i])
		}
	}
	return text
}

// chosen returns arguments that are not decoded, with their places.
func chosen(looked map[uint]uint64) []string {
	out := []string{address}
	for _, i := range slices.Sorted(maps.Keys(looked)) {
		out = append(out, fmt.Sprintf("arg%d=%#x", i, looked[i]), address)
	}
	return out
}

// Argument returns an argument as the kernel takes it: programs of a 32-bit architecture give
// 32 bits, and of an int the kernel reads no more.
func Argument(arch specs.Arch, name string, i int, value uint64) uint64 {
	if _, known := syscalls.SetOf[arch]; known && !syscalls.Is64(arch) {
		value &= 1<<32 - 1
	}
	if widths := syscalls.Signatures[name]; i < len(widths) {
		switch widths[i] {
		case 'i', 'u':
			return value & (1<<32 - 1)
		case 'h':
			return value & (1<<16 - 1)
		}
	}
	return value
}
