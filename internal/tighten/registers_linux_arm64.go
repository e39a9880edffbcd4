package tighten

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// registers are those of a thread of a 64-bit program.
type registers = unix.PtraceRegs

// instructionSize is the length of svc #0, as of all instructions.
const (
	instructionSize = 4
	alignment       = instructionSize
)

var native = abi{
	arch: unix.AUDIT_ARCH_AARCH64, instruction: [4]byte{0x01, 0x00, 0x00, 0xd4},
	mmapNumber: unix.SYS_MMAP, seccompNumber: unix.SYS_SECCOMP, prctlNumber: unix.SYS_PRCTL, munmapNumber: unix.SYS_MUNMAP,
}

// byMachine: a thread of a 32-bit program is refused before (errNarrow).
func (a abi) byMachine(uint16) abi { return a }

// errNarrow is the error for 32-bit ARM programs.
var errNarrow = errors.New("it is a 32-bit program, and on arm64 only 64-bit ones can be given a filter while they run")

// Register sets (linux/elf.h).
const (
	setGeneral    = 1     // NT_PRSTATUS
	setSystemCall = 0x404 // NT_ARM_SYSTEM_CALL
	setVectors    = 0x405 // NT_ARM_SVE
	setStreaming  = 0x40b // NT_ARM_SSVE
)

// registerSet reads or writes one of the thread's register sets, and returns how much of it.
func (t *thread) registerSet(request, set int, at unsafe.Pointer, size uintptr) (uintptr, error) {
	vector := unix.Iovec{Base: (*byte)(at), Len: uint64(size)}
	_, err := t.request(request, uintptr(set), uintptr(unsafe.Pointer(&vector)))
	return uintptr(vector.Len), err
}

func (t *thread) registers(regs *registers) error {
	n, err := t.registerSet(unix.PTRACE_GETREGSET, setGeneral, unsafe.Pointer(regs), unsafe.Sizeof(*regs))
	if err == nil && n != unsafe.Sizeof(*regs) {
		return errNarrow
	}
	return err
}

func (t *thread) setRegisters(regs *registers) error {
	_, err := t.registerSet(unix.PTRACE_SETREGSET, setGeneral, unsafe.Pointer(regs), unsafe.Sizeof(*regs))
	return err
}

// inCall is unknown: the kernel has already put the registers back to before the call.
func (t *thread) inCall() bool { return false }

// waits is unknown, too. A thread that waits in a call is in no restartable sequence.
func waits(*registers) bool { return false }

// next is the address of the next instruction.
func next(regs *registers) *uint64 { return &regs.Pc }

// Registers by their use (syscall(2), "Architecture calling conventions").
const (
	first  = 0 // argument, and result
	number = 8 // of the call
)

// returned is the register that has a call's result.
func returned(regs *registers) uint64 { return regs.Regs[first] }

// set puts a call into the thread's registers, and returns how many stops it takes: one at its
// beginning, unless the thread is there already, and one at its end.
func (l *loan) set(r request) (stops int, err error) {
	regs := l.saved.registers
	regs.Regs[number] = uint64(r.number)
	clear(regs.Regs[:6])
	copy(regs.Regs[:6], r.args)
	regs.Pc = l.borrowed
	regs.Pstate &^= afterBranch
	if !l.saved.entered {
		return 2, l.setRegisters(&regs)
	}
	l.saved.entered = false
	regs.Pc += instructionSize
	if err := l.setRegisters(&regs); err != nil {
		return 0, err
	}
	return 1, l.setCall(r.number)
}

// afterBranch are PSTATE's bits that say that an indirect branch came just before: the processor then
// takes nothing but a landing pad (BTI), which the instruction that is borrowed is not.
const afterBranch = 3 << 10

// setCall says which call the thread is about to make.
func (t *thread) setCall(nr uint32) error {
	_, err := t.registerSet(unix.PTRACE_SETREGSET, setSystemCall, unsafe.Pointer(&nr), unsafe.Sizeof(nr))
	return err
}
