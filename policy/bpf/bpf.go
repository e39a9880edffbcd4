package bpf

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Instruction is struct sock_filter of linux/filter.h.
type Instruction = unix.SockFilter

// Program is a filter that [Check] accepts: every run of it ends with an answer.
type Program struct{ instructions []Instruction }

// Codes that libseccomp and runc write into filters. A jump by a condition is one of the
// four If codes.
const (
	Load      = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	And       = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	Jump      = unix.BPF_JMP | unix.BPF_JA
	IfEqual   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	IfGreater = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	IfAtLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	IfBits    = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	Return    = unix.BPF_RET | unix.BPF_K
)

// UnknownCode is the error for an instruction that neither libseccomp nor runc writes.
type UnknownCode struct {
	Index int
	Code  uint16
}

func (e *UnknownCode) Error() string {
	return fmt.Sprintf("instruction %d has the code %#x, which neither libseccomp nor runc writes", e.Index, e.Code)
}

// Check returns the program of the instructions. The error is an UnknownCode for a code
// that neither libseccomp nor runc writes. It is another one if a run could leave the
// program or struct seccomp_data.
func Check(instructions []Instruction) (Program, error) {
	n := len(instructions)
	if n == 0 {
		return Program{}, errors.New("the filter has no instructions")
	}
	for i, in := range instructions {
		next := i + 1
		switch in.Code {
		case Load:
			if in.K%4 != 0 || in.K >= size {
				return Program{}, fmt.Errorf("instruction %d loads from offset %d, outside struct seccomp_data", i, in.K)
			}
		case And:
		case Jump:
			if in.K >= uint32(n) {
				return Program{}, fmt.Errorf("instruction %d jumps past the end", i)
			}
			next += int(in.K)
		case IfEqual, IfGreater, IfAtLeast, IfBits:
			next += int(max(in.Jt, in.Jf))
		case Return:
			continue
		default:
			return Program{}, &UnknownCode{Index: i, Code: in.Code}
		}
		if next >= n {
			return Program{}, fmt.Errorf("instruction %d leads past the end", i)
		}
	}
	return Program{instructions}, nil
}

// Run returns the filter's answer to a call: SECCOMP_RET_* of linux/seccomp.h with
// its data. The zero Program kills the process.
func (p Program) Run(c Call) uint32 {
	var a uint32
	for pc := 0; pc < len(p.instructions); pc++ { // jumps lead forward only
		switch in := p.instructions[pc]; in.Code {
		case Return:
			return in.K
		case Load:
			a = c.Word(in.K)
		case And:
			a &= in.K
		case Jump:
			pc += int(in.K)
		default:
			if Holds(in, a) {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		}
	}
	return unix.SECCOMP_RET_KILL_PROCESS
}

// Holds reports whether the condition of a jump holds for the accumulator a.
func Holds(in Instruction, a uint32) bool {
	switch in.Code {
	case IfEqual:
		return a == in.K
	case IfGreater:
		return a > in.K
	case IfAtLeast:
		return a >= in.K
	}
	return a&in.K != 0
}
