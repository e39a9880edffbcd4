package recorder

import specs "github.com/opencontainers/runtime-spec/specs-go"

// arches are the architectures of programs, as the programs number them.
var arches = []specs.Arch{specs.ArchAARCH64, specs.ArchARM}

// x32Bit is of x86_64 only.
const x32Bit = 0

const (
	// modeField of thread_info has compatBit in 32-bit programs (TIF_32BIT, asm/thread_info.h).
	modeField = "flags"
	compatBit = 1 << 22
)

// registers is how much of struct pt_regs (asm/ptrace.h) holds the arguments; args and compatArgs
// say where, in bytes.
const registers = 48

var (
	args       = [6]int16{0, 8, 16, 24, 32, 40}
	compatArgs = args
)
