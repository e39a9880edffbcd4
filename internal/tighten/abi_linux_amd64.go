package tighten

import (
	"encoding/binary"
	"unsafe"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// request is a call that a thread is to make.
type request struct {
	name   string
	number uint32
	args   []uint64
}

// abi is how a program makes calls: by syscall, or by int 0x80 where it is a 32-bit one.
type abi struct {
	arch uint32 // AUDIT_ARCH_*
	code uint64 // the code segment (arch/x86/include/asm/segment.h)
	// instruction is what makes a call.
	instruction [instructionSize]byte
	mmapNumber, seccompNumber, prctlNumber,
	munmapNumber uint32
}

// instructionSize is the length of syscall and of int 0x80.
const instructionSize = 2

var (
	native = abi{
		arch: unix.AUDIT_ARCH_X86_64, code: 0x33, instruction: [2]byte{0x0f, 0x05},
		mmapNumber: unix.SYS_MMAP, seccompNumber: unix.SYS_SECCOMP, prctlNumber: unix.SYS_PRCTL, munmapNumber: unix.SYS_MUNMAP,
	}
	// i386's numbers are of arch/x86/entry/syscalls/syscall_32.tbl; its mmap is mmap2.
	i386 = abi{
		arch: unix.AUDIT_ARCH_I386, code: 0x23, instruction: [2]byte{0xcd, 0x80},
		mmapNumber: 192, seccompNumber: 354, prctlNumber: 172, munmapNumber: 91,
	}
)

func (a abi) mmap(instructions int) request {
	none := ^uint64(0)
	if a.arch == unix.AUDIT_ARCH_I386 {
		none = 1<<32 - 1
	}
	return request{"mmap", a.mmapNumber, []uint64{0, a.size(instructions), unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS, none, 0}}
}

func (a abi) munmap(at uint64, instructions int) request {
	return request{"munmap", a.munmapNumber, []uint64{at, a.size(instructions)}}
}

func (a abi) seccomp(flags uint, at uint64) request {
	return request{"seccomp", a.seccompNumber, []uint64{unix.SECCOMP_SET_MODE_FILTER, uint64(flags), at}}
}

func (a abi) noNewPrivs() request {
	return request{"prctl", a.prctlNumber, []uint64{unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0}}
}

// size is how many bytes a program of some instructions takes.
func (a abi) size(instructions int) uint64 {
	return programHeader + uint64(instructions)*uint64(unsafe.Sizeof(bpf.Instruction{}))
}

// programHeader is the size of struct sock_fprog; that of 32-bit programs is shorter.
const programHeader = 16

// program returns a struct sock_fprog (linux/filter.h) for an address, with the instructions behind.
func (a abi) program(at uint64, code []bpf.Instruction) []byte {
	out := make([]byte, programHeader, a.size(len(code)))
	binary.LittleEndian.PutUint16(out, uint16(len(code)))
	if a.arch == unix.AUDIT_ARCH_I386 {
		binary.LittleEndian.PutUint32(out[4:], uint32(at+programHeader))
	} else {
		binary.LittleEndian.PutUint64(out[8:], at+programHeader)
	}
	return append(out, bpf.Encode(code)...)
}

// set puts a call into registers (syscall(2), "Architecture calling conventions").
func (a abi) set(regs *unix.PtraceRegs, r request) {
	var args [6]uint64
	copy(args[:], r.args)
	regs.Cs, regs.Rax = a.code, uint64(r.number)
	if a.arch == unix.AUDIT_ARCH_I386 {
		regs.Rbx, regs.Rcx, regs.Rdx, regs.Rsi, regs.Rdi, regs.Rbp = args[0], args[1], args[2], args[3], args[4], args[5]
		return
	}
	regs.Rdi, regs.Rsi, regs.Rdx, regs.R10, regs.R8, regs.R9 = args[0], args[1], args[2], args[3], args[4], args[5]
}

// result is what a call has returned, or its error.
func (a abi) result(rax uint64) (uint64, unix.Errno) {
	const maxErrno = 4095
	signed := int64(rax)
	if a.arch == unix.AUDIT_ARCH_I386 {
		signed, rax = int64(int32(rax)), rax&(1<<32-1)
	}
	if signed < 0 && signed >= -maxErrno {
		return 0, unix.Errno(-signed)
	}
	return rax, 0
}
