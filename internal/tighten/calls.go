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

// abi is how a program makes calls. The machine's own is native.
type abi struct {
	arch uint32 // AUDIT_ARCH_*
	// instruction is what makes a call.
	instruction [instructionSize]byte
	// narrow is set for 32-bit programs.
	narrow bool
	mmapNumber, seccompNumber, prctlNumber,
	munmapNumber uint32
}

func (a abi) mmap(instructions int) request {
	none := ^uint64(0)
	if a.narrow {
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
	if a.narrow {
		binary.LittleEndian.PutUint32(out[4:], uint32(at+programHeader))
	} else {
		binary.LittleEndian.PutUint64(out[8:], at+programHeader)
	}
	return append(out, bpf.Encode(code)...)
}

// result is what a call has returned, or its error.
func (a abi) result(register uint64) (uint64, unix.Errno) {
	const maxErrno = 4095
	signed := int64(register)
	if a.narrow {
		signed, register = int64(int32(register)), register&(1<<32-1)
	}
	if signed < 0 && signed >= -maxErrno {
		return 0, unix.Errno(-signed)
	}
	return register, 0
}
