package tighten

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// registers are those of a thread, as of a 64-bit program.
type registers = unix.PtraceRegs

// instructionSize is the length of syscall and of int 0x80, which can be anywhere.
const (
	instructionSize = 2
	alignment       = 1
)

var (
	native = abi{
		arch: unix.AUDIT_ARCH_X86_64, instruction: [2]byte{0x0f, 0x05},
		mmapNumber: unix.SYS_MMAP, seccompNumber: unix.SYS_SECCOMP, prctlNumber: unix.SYS_PRCTL, munmapNumber: unix.SYS_MUNMAP,
	}
	// i386's numbers are of arch/x86/entry/syscalls/syscall_32.tbl; its mmap is mmap2.
	i386 = abi{
		arch: unix.AUDIT_ARCH_I386, instruction: [2]byte{0xcd, 0x80}, narrow: true,
		mmapNumber: 192, seccompNumber: 354, prctlNumber: 172, munmapNumber: 91,
	}
)

// byMachine returns how a program makes calls whose ELF header names a machine.
func (a abi) byMachine(machine uint16) abi {
	const elf386 = 3 // elf(5)
	if machine == elf386 {
		return i386
	}
	return a
}

// registers reads them as of a 64-bit program, which PTRACE_GETREGSET does not of a 32-bit one.
func (t *thread) registers(regs *registers) error {
	_, err := t.request(unix.PTRACE_GETREGS, 0, uintptr(unsafe.Pointer(regs)))
	return err
}

func (t *thread) setRegisters(regs *registers) error {
	_, err := t.request(unix.PTRACE_SETREGS, 0, uintptr(unsafe.Pointer(regs)))
	return err
}

// inCall reports whether the thread waits in a call.
func (t *thread) inCall() bool {
	var regs registers
	return t.registers(&regs) == nil && waits(&regs)
}

func waits(regs *registers) bool { return int64(regs.Orig_rax) >= 0 }

// next is the address of the next instruction.
func next(regs *registers) *uint64 { return &regs.Rip }

// returned is the register that has a call's result.
func returned(regs *registers) uint64 { return regs.Rax }

// set puts a call into the thread's registers (syscall(2), "Architecture calling conventions"), and
// returns how many stops it takes: one at its beginning, and one at its end.
func (l *loan) set(r request) (stops int, err error) {
	const code64, code32 = 0x33, 0x23 // arch/x86/include/asm/segment.h
	regs := l.saved.registers
	regs.Cs, regs.Rax, regs.Rip = code64, uint64(r.number), l.borrowed
	regs.Orig_rax = ^uint64(0) // nothing to restart
	var args [6]uint64
	copy(args[:], r.args)
	if l.abi.narrow {
		regs.Cs = code32
		regs.Rbx, regs.Rcx, regs.Rdx, regs.Rsi, regs.Rdi, regs.Rbp = args[0], args[1], args[2], args[3], args[4], args[5]
	} else {
		regs.Rdi, regs.Rsi, regs.Rdx, regs.R10, regs.R8, regs.R9 = args[0], args[1], args[2], args[3], args[4], args[5]
	}
	return 2, l.setRegisters(&regs)
}

// state is what must be put back. The registers say which call the kernel restarts, too, and how
// (arch_do_signal_or_restart in arch/x86/kernel/signal.c).
type state struct{ registers }

func (l *loan) keep() error { return nil }

func (l *loan) enter() error { return nil }

func (l *loan) leave() (restore bool, err error) { return true, nil }

func (l *loan) restore() error { return l.setRegisters(&l.saved.registers) }
