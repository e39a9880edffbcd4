package filter

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// Disassemble returns the program as text, a line for each instruction, with the
// names of arches, syscalls and actions.
func (p *Program) Disassemble() []string {
	out := make([]string, len(p.Instructions))
	known := make([]loaded, len(p.Instructions))
	for i, in := range p.Instructions {
		k := known[i]
		text := ""
		switch in.Code {
		case bpf.Load:
			k.field = in.K / 4
			text = "load " + fieldName(k.field)
		case bpf.And:
			text = fmt.Sprintf("and %#x", in.K)
		case bpf.Jump:
			text = fmt.Sprintf("go to %d", i+1+int(in.K))
		case bpf.Return:
			text = "return " + result(in.K).String()
		case bpf.IfEqual, bpf.IfGreater, bpf.IfAtLeast, bpf.IfBits:
			op := map[uint16]string{bpf.IfEqual: "==", bpf.IfGreater: ">", bpf.IfAtLeast: ">=", bpf.IfBits: "&"}[in.Code]
			text = fmt.Sprintf("if %s %#x then %d else %d", op, in.K, i+1+int(in.Jt), i+1+int(in.Jf))
			if name := k.name(in); name != "" {
				text += "  ; " + name
			}
		default:
			text = fmt.Sprintf("code %#x, jt %d, jf %d, k %#x", in.Code, in.Jt, in.Jf, in.K)
		}
		out[i] = fmt.Sprintf("%4d: %s", i, text)
		for _, next := range k.after(i, in) {
			if next.at < len(known) && known[next.at] == (loaded{}) {
				known[next.at] = next.loaded
			}
		}
	}
	return out
}

// loaded is what is known before an instruction, on one path to it: the word that was loaded
// last, and the architecture.
type loaded struct{ field, arch uint32 }

// name returns the name of the value that an instruction compares with, if it has one.
func (k loaded) name(in unix.SockFilter) (name string) {
	switch {
	case k.field == wordArch:
		_, name = abi(in.K, 0)
	case k.field == wordNr && in.Code != bpf.IfBits:
		name = syscallName(k.arch, in.K)
	}
	return name
}

// after returns the instructions that may follow the one at i, and what is known there.
func (k loaded) after(i int, in unix.SockFilter) (out []struct {
	loaded
	at int
},
) {
	to := func(offset int, k loaded) {
		out = append(out, struct {
			loaded
			at int
		}{k, i + 1 + offset})
	}
	switch in.Code {
	case bpf.Return:
	case bpf.Jump:
		to(int(in.K), k)
	case bpf.IfEqual, bpf.IfGreater, bpf.IfAtLeast, bpf.IfBits:
		to(int(in.Jf), k)
		if k.field == wordArch && in.Code == bpf.IfEqual {
			k.arch = in.K
		}
		to(int(in.Jt), k)
	default:
		to(0, k)
	}
	return out
}

func fieldName(word uint32) string {
	half := [...]string{"low", "high"}[word%2]
	switch {
	case word == wordNr:
		return "syscall number"
	case word == wordArch:
		return "arch"
	case word < wordArgs:
		return "instruction pointer, " + half
	}
	return fmt.Sprintf("arg%d, %s half", (word-wordArgs)/2, half)
}
