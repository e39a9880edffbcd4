package filter

import (
	"errors"
	"fmt"

	"github.com/batten-runtime/batten/policy/bpf"
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
	// Live is set where the program was read from the kernel, which tells of the
	// flags only LOG.
	Live bool
	// Listener names who answers the calls that the filter notifies of; empty where
	// that is unknown, and where it notifies of none.
	Listener string
	// Answers is how comparisons read SCMP_ACT_NOTIFY; if it is nil, as a listener that may
	// do anything.
	Answers *Answers
}

// Stack is all filters of a task, the one installed first in front. The kernel
// asks all of them and takes the strictest action; at a tie the data of the one
// installed last.
type Stack []*Program

// Call is one system call as a filter sees it.
type Call = bpf.Call

// Words of struct seccomp_data, by number: word i is at offset 4*i.
const (
	wordNr   = bpf.OffsetNr / 4
	wordArch = bpf.OffsetArch / 4
	wordArgs = bpf.OffsetArgs / 4
)

// check returns the program for running it. It is an error if the program has an
// instruction that this package does not understand, or may not end.
func (p *Program) check() (bpf.Program, error) {
	program, err := bpf.Check(p.Instructions)
	if unknown := (*bpf.UnknownCode)(nil); errors.As(err, &unknown) {
		return program, fmt.Errorf("instruction %d has code %#x, which libseccomp and runc do not write; such a filter is not judged", unknown.Index, unknown.Code)
	}
	return program, err
}

// Run returns the program's answer to one call.
func (p *Program) Run(c Call) (Result, error) {
	program, err := p.check()
	if err != nil {
		return Result{}, err
	}
	return p.Answers.answer(c, result(program.Run(c)))
}

// Run returns what the kernel does with one call under all filters of the stack.
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
