//go:build linux && (amd64 || arm64)

package tighten

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// instruction finds one that makes a call: in the vDSO, which each process has whose kernel was not
// started with vdso=0, or in what the process executes. With quiet set nothing can keep a reader of
// the vDSO waiting; what the process executes can be a file of a file system that does not answer.
func (t *thread) instruction(quiet bool) (a abi, at uint64, err error) {
	var rest []mapping
	inVDSO := func() error {
		maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", t.tid))
		if err != nil {
			return err
		}
		var vdso []mapping
		vdso, rest = executable(string(maps))
		a, at = t.search(native, vdso)
		return nil
	}
	if quiet {
		err = inVDSO()
	} else {
		err = inTime(inVDSO)
	}
	if err == nil && at == 0 {
		err = inTime(func() error {
			a, at = t.search(a, rest[:min(len(rest), mostMappings)])
			return nil
		})
	}
	if err == nil && at == 0 {
		err = errors.New("it has no instruction to make a call by")
	}
	return a, at, err
}

// search returns where an instruction is that makes a call; 0 if there is none. The machine of an ELF
// header says by which ABI the process makes calls; by a if none does.
func (t *thread) search(a abi, in []mapping) (abi, uint64) {
	for _, m := range in {
		code := t.read(m.at, min(m.size, mostSearched))
		if len(code) > elfMachine+2 && bytes.HasPrefix(code, []byte("\x7fELF")) {
			a = a.byMachine(binary.LittleEndian.Uint16(code[elfMachine:]))
		}
		if i := a.index(code); i >= 0 {
			return a, m.at + uint64(i)
		}
	}
	return a, 0
}

// index returns where the first instruction is that makes a call, or -1.
func (a abi) index(code []byte) int {
	for from := 0; ; from++ {
		i := bytes.Index(code[from:], a.instruction[:])
		if i < 0 {
			return -1
		}
		if from += i; from%alignment == 0 {
			return from
		}
	}
}

// elfMachine is where e_machine is in an ELF header (elf(5)).
const elfMachine = 18

// Bounds on what is read: of one mapping, and how many.
const (
	mostSearched = 1 << 20
	mostMappings = 32
)

// readLimit is how long memory may take to read: a program can have a reader wait for as long as a
// file system of its own does not answer.
const readLimit = time.Second

// inTime calls f, which reads or writes memory, and returns an error if it does not return in time. F goes on
// then, and is no longer waited for.
func inTime(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(readLimit):
		return errSlow
	}
}

type mapping struct{ at, size uint64 }

// executable returns the mappings of /proc/<pid>/maps that the process can execute, the vDSO apart.
func executable(maps string) (vdso, rest []mapping) {
	for line := range strings.Lines(maps) {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || len(mode) < 3 || mode[2] != 'x' {
			continue
		}
		m := mapping{from, to - from}
		// from-to mode offset device inode name: what is no file has the inode 0.
		switch f := strings.Fields(line); {
		case len(f) == 6 && f[4] == "0" && f[5] == "[vdso]":
			vdso = append(vdso, m)
		case len(f) == 6 && f[5] == "[vsyscall]": // which cannot be read, and emulates
		default:
			rest = append(rest, m)
		}
	}
	return vdso, rest
}

// read returns memory of the process, or nothing.
func (t *thread) read(at, size uint64) []byte {
	data := make([]byte, size)
	local := []unix.Iovec{{Base: unsafe.SliceData(data)}}
	local[0].SetLen(len(data))
	n, err := unix.ProcessVMReadv(t.tid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: len(data)}}, 0)
	if err != nil {
		return nil
	}
	return data[:n]
}

// leaveSequence does what the kernel does for a thread that was interrupted in a restartable
// sequence (rseq(2), kernel/rseq.c): it will go on where the sequence is begun again. The kernel
// itself no longer sees that, since the thread is elsewhere meanwhile.
func (t *thread) leaveSequence(regs *registers) error {
	var config struct {
		area                         uint64
		size, signature, flags, rest uint32
	}
	if waits(regs) {
		return nil // it waits in a call, and a sequence makes none
	}
	if _, err := t.request(ptraceGetSequence, unsafe.Sizeof(config), uintptr(unsafe.Pointer(&config))); err != nil || config.area == 0 {
		return nil // Linux before 5.13 does not say
	}
	// struct rseq has the address of a struct rseq_cs (linux/rseq.h) at its second word: version
	// and flags, start_ip, post_commit_offset, abort_ip.
	var sequence []byte
	err := inTime(func() error { // the area may be memory that another process answers for
		area := t.read(config.area, 16)
		if len(area) < 16 {
			return nil
		}
		sequence = t.read(binary.LittleEndian.Uint64(area[8:]), 32)
		return nil
	})
	if err != nil || len(sequence) < 32 {
		return err
	}
	word := func(n int) uint64 { return binary.LittleEndian.Uint64(sequence[8*n:]) }
	if start, length, abort := word(1), word(2), word(3); *next(regs)-start < length {
		*next(regs) = abort
	}
	return nil
}
