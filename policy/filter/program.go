package filter

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// MaxInstructions is the longest program that the kernel takes (BPF_MAXINSNS,
// linux/bpf_common.h).
const MaxInstructions = 4096

// Program is one seccomp filter: classic BPF over struct seccomp_data
// (linux/seccomp.h), as the kernel holds it.
type Program struct {
	Instructions []unix.SockFilter
	// Flags are the SECCOMP_FILTER_FLAG_* it is loaded with.
	Flags uint
}

// Stack is all filters of a task, the one installed first in front. The kernel
// asks all of them and takes the strictest action; at a tie the data of the one
// installed last.
type Stack []*Program

// Call is one system call as a filter sees it.
type Call struct {
	// Arch is an AUDIT_ARCH_* value, Nr the call's number; x32 calls have bit
	// 30 set.
	Arch, Nr uint32
	// IP is the instruction pointer.
	IP   uint64
	Args [6]uint64
}

// Words of struct seccomp_data. On the little-endian machines that Batten
// knows, the low half of a 64-bit field comes first.
const (
	wordNr = iota
	wordArch
	wordIP   // two words, then two for each argument
	wordArgs = wordIP + 2
	words    = wordArgs + 12
)

func (c Call) word(i uint32) uint32 {
	field := c.IP
	switch {
	case i == wordNr:
		return c.Nr
	case i == wordArch:
		return c.Arch
	case i >= wordArgs:
		field = c.Args[(i-wordArgs)/2]
	}
	if i%2 == 1 {
		field >>= 32
	}
	return uint32(field)
}

// set changes one word.
func (c *Call) set(i, value uint32) {
	field := &c.IP
	switch {
	case i == wordNr:
		c.Nr = value
		return
	case i == wordArch:
		c.Arch = value
		return
	case i >= wordArgs:
		field = &c.Args[(i-wordArgs)/2]
	}
	if i%2 == 1 {
		*field = *field&0xffffffff | uint64(value)<<32
	} else {
		*field = *field&^0xffffffff | uint64(value)
	}
}

// Instruction codes that filters are made of. libseccomp and runc write no
// others; what has others is not judged.
const (
	codeLoad      = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	codeAnd       = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	codeJump      = unix.BPF_JMP | unix.BPF_JA
	codeIfEqual   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	codeIfGreater = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	codeIfAtLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	codeIfBits    = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	codeReturn    = unix.BPF_RET | unix.BPF_K
)

// check reports whether the program has only instructions that this package
// understands and ends on every path, so that running it needs no more checks.
func (p *Program) check() error {
	n := len(p.Instructions)
	if n == 0 {
		return errors.New("the filter has no instructions")
	}
	for i, in := range p.Instructions {
		furthest := i + 1
		switch in.Code {
		case codeLoad:
			if in.K%4 != 0 || in.K/4 >= words {
				return fmt.Errorf("instruction %d loads from offset %d, outside struct seccomp_data", i, in.K)
			}
		case codeAnd:
		case codeJump:
			if in.K >= uint32(n) {
				return fmt.Errorf("instruction %d jumps past the end", i)
			}
			furthest += int(in.K)
		case codeIfEqual, codeIfGreater, codeIfAtLeast, codeIfBits:
			furthest += int(max(in.Jt, in.Jf))
		case codeReturn:
			continue
		default:
			return fmt.Errorf("instruction %d has code %#x, which libseccomp and runc do not write; such a filter is not judged", i, in.Code)
		}
		if furthest >= n {
			return fmt.Errorf("instruction %d leads past the end", i)
		}
	}
	return nil
}

// holds is what a conditional instruction makes of the accumulator.
func holds(in unix.SockFilter, a uint32) bool {
	switch in.Code {
	case codeIfEqual:
		return a == in.K
	case codeIfGreater:
		return a > in.K
	case codeIfAtLeast:
		return a >= in.K
	}
	return a&in.K != 0
}

// Run is what the program says to one call.
func (p *Program) Run(c Call) (Result, error) {
	if err := p.check(); err != nil {
		return Result{}, err
	}
	var a uint32
	for pc := 0; ; pc++ {
		switch in := p.Instructions[pc]; in.Code {
		case codeLoad:
			a = c.word(in.K / 4)
		case codeAnd:
			a &= in.K
		case codeJump:
			pc += int(in.K)
		case codeReturn:
			return result(in.K), nil
		default:
			if holds(in, a) {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		}
	}
}

// Run is what the kernel does with one call under all filters of the stack.
func (s Stack) Run(c Call) (Result, error) {
	out := Result{Action: unix.SECCOMP_RET_ALLOW}
	for _, p := range s {
		own, err := p.Run(c)
		if err != nil {
			return Result{}, err
		}
		out = stricter(out, own)
	}
	return out, nil
}
