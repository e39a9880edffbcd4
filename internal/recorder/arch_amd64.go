package recorder

import specs "github.com/opencontainers/runtime-spec/specs-go"

// arches are the architectures of programs, as the programs number them.
var arches = []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}

// x32Bit is set in the numbers of x32's calls (__X32_SYSCALL_BIT, asm/unistd.h).
const x32Bit = 1 << 30

const (
	// modeField of thread_info has compatBit while a call of 32-bit programs runs (TS_COMPAT,
	// asm/thread_info.h).
	modeField = "status"
	compatBit = 1 << 1
)

// registers is how much of struct pt_regs (asm/ptrace.h) holds the arguments; args and compatArgs
// say where, in bytes.
const registers = 120

var (
	args       = [6]int16{112, 104, 96, 56, 72, 64} // rdi rsi rdx r10 r8 r9
	compatArgs = [6]int16{40, 88, 96, 104, 112, 32} // ebx ecx edx esi edi ebp
)
