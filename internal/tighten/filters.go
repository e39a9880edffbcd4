package tighten

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// ptraceGetFilter is PTRACE_SECCOMP_GET_FILTER (linux/ptrace.h).
const ptraceGetFilter = 0x420c

// program returns the thread's filter of a number, the one installed first being 0, or nil if its
// length is another than want and want is not 0. The error is ENOENT if there is none.
func (t *thread) program(number, want int) ([]bpf.Instruction, error) {
	n, err := t.request(ptraceGetFilter, uintptr(number), 0)
	if errors.Is(err, unix.EINVAL) && number == 0 {
		return nil, unix.ENOENT // it has no filter at all
	}
	if err != nil || n == 0 || want != 0 && int(n) != want {
		return nil, err
	}
	code := make([]bpf.Instruction, n)
	_, err = t.request(ptraceGetFilter, uintptr(number), uintptr(unsafe.Pointer(unsafe.SliceData(code))))
	return code, err
}

// has reports whether the kernel holds the filter for the thread.
func (t *thread) has(f Filter) (bool, error) {
	for number := 0; ; number++ {
		code, err := t.program(number, len(f.Instructions))
		if errors.Is(err, unix.ENOENT) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if slices.Equal(code, f.Instructions) {
			return true, nil
		}
	}
}

// programs returns all filters of the thread.
func (t *thread) programs() (out []bpf.Program, err error) {
	for number := 0; ; number++ {
		code, err := t.program(number, 0)
		if errors.Is(err, unix.ENOENT) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		p, err := bpf.Check(code)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
}

// passes returns an error unless every filter lets a call pass: another answer could kill the
// process, or leave it waiting for a listener.
func passes(filters []bpf.Program, name string, c bpf.Call) error {
	for _, f := range filters {
		switch answer := f.Run(c); answer & unix.SECCOMP_RET_ACTION_FULL {
		case unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_LOG:
		case unix.SECCOMP_RET_ERRNO:
			return fmt.Errorf("its own filter denies %s", name)
		default:
			return fmt.Errorf("its own filter does not let %s pass", name)
		}
	}
	return nil
}
