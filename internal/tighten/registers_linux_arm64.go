package tighten

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
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
	regs := l.saved
	regs.Regs[number] = uint64(r.number)
	clear(regs.Regs[:6])
	copy(regs.Regs[:6], r.args)
	regs.Pc = l.borrowed
	regs.Pstate &^= afterBranch
	if !l.more.entered {
		return 2, l.setRegisters(&regs)
	}
	l.more.entered = false
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

// beyond is what must be put back beside the registers. The kernel restarts an interrupted call by
// itself (do_signal in arch/arm64/kernel/signal.c): before the thread stops it has put the registers
// back to before the instruction, and after the stop it may put restart_syscall(2) in the call's
// place. So a thread that stands at such an instruction is let go on to the beginning of the call,
// where its number says which one it is, and its first lent call replaces that.
type beyond struct {
	// stands is set where the next instruction makes a call, entered where the thread is at the
	// beginning of that one.
	stands, entered bool
	// vectors are the register sets that a call does not preserve, as a call made in the middle of
	// a function would not (Documentation/arch/arm64/sve.rst, "System call behaviour").
	vectors map[int][]byte
}

// keep looks at the next instruction, and reads what a call would destroy.
func (l *loan) keep() error {
	var code []byte
	if err := inTime(func() error { code = l.read(l.saved.Pc, instructionSize); return nil }); err != nil {
		return err
	}
	if len(code) < instructionSize {
		return errors.New("the instruction where it stands cannot be read")
	}
	if [instructionSize]byte(code) == native.instruction {
		l.more.stands, l.abi, l.borrowed = true, native, l.saved.Pc
		return nil
	}
	l.more.vectors = make(map[int][]byte)
	for _, set := range []int{setVectors, setStreaming} {
		data, err := l.vectors(set)
		if err != nil {
			return err
		}
		if data != nil {
			l.more.vectors[set] = data
		}
	}
	return nil
}

// vectors returns a set of vector registers if it holds more than those that every call preserves.
func (t *thread) vectors(set int) ([]byte, error) {
	const headerSize, flagsAt, wide = 16, 12, 1 // struct user_sve_header, SVE_PT_REGS_SVE (asm/ptrace.h)
	header := make([]byte, headerSize)
	_, err := t.registerSet(unix.PTRACE_GETREGSET, set, unsafe.Pointer(unsafe.SliceData(header)), headerSize)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENODEV):
		return nil, nil // the processor has none
	case err != nil:
		return nil, err
	case binary.LittleEndian.Uint16(header[flagsAt:])&wide == 0:
		return nil, nil
	}
	data := make([]byte, binary.LittleEndian.Uint32(header))
	n, err := t.registerSet(unix.PTRACE_GETREGSET, set, unsafe.Pointer(unsafe.SliceData(data)), uintptr(len(data)))
	return data[:n], err
}

// enter lets a thread that stands at a call go on to its beginning.
func (l *loan) enter() error {
	if !l.more.stands {
		return nil
	}
	if err := l.setRegisters(&l.saved); err != nil { // it may be another instruction than it stopped at
		return err
	}
	if err := l.resume(true, 0); err != nil {
		return err
	}
	if !l.wait(time.Now().Add(mostLent), true) {
		return errors.New("does not reach its next call")
	}
	var regs registers
	if err := l.registers(&regs); err != nil {
		return err
	}
	if regs.Pc != l.borrowed+instructionSize {
		return fmt.Errorf("is at %#x and not at its call", regs.Pc)
	}
	l.saved.Regs[number] = regs.Regs[number]
	l.more.entered = true
	return nil
}

// leave has the kernel see a call that is to be restarted, for a thread that stood at one: where a
// signal has come meanwhile, the call ends with EINTR as it would have.
func (l *loan) leave() (restore bool, err error) {
	if l.more.entered {
		return false, nil // it has made no call, and goes on with its own
	}
	kind := restarts[l.saved.Regs[number]]
	if !l.more.stands || kind == 0 {
		return true, nil
	}
	regs := l.saved
	regs.Pc += instructionSize
	regs.Regs[first] = -kind
	return true, l.setRegisters(&regs)
}

func (l *loan) restore() error {
	for set, data := range l.more.vectors {
		if _, err := l.registerSet(unix.PTRACE_SETREGSET, set, unsafe.Pointer(unsafe.SliceData(data)), uintptr(len(data))); err != nil {
			return err
		}
	}
	return l.setRegisters(&l.saved)
}

// How the kernel restarts a call (linux/errno.h): unless a handler ran that does not ask for it, or
// unless any handler ran.
const (
	restartSys    = 512
	restartNoHand = 514
)

// restarts says it of the calls that wait (signal(7), "Interruption of system calls and library
// functions by signal handlers").
var restarts = map[uint64]uint64{
	unix.SYS_READ: restartSys, unix.SYS_READV: restartSys, unix.SYS_WRITE: restartSys, unix.SYS_WRITEV: restartSys,
	unix.SYS_IOCTL: restartSys, unix.SYS_OPENAT: restartSys, unix.SYS_OPENAT2: restartSys, unix.SYS_FLOCK: restartSys, unix.SYS_FCNTL: restartSys,
	unix.SYS_WAIT4: restartSys, unix.SYS_WAITID: restartSys, unix.SYS_FUTEX: restartSys, unix.SYS_SPLICE: restartSys,
	unix.SYS_ACCEPT: restartSys, unix.SYS_ACCEPT4: restartSys, unix.SYS_CONNECT: restartSys,
	unix.SYS_RECVFROM: restartSys, unix.SYS_RECVMSG: restartSys, unix.SYS_SENDTO: restartSys, unix.SYS_SENDMSG: restartSys,
	unix.SYS_MQ_TIMEDRECEIVE: restartSys, unix.SYS_MQ_TIMEDSEND: restartSys, unix.SYS_MSGRCV: restartNoHand, unix.SYS_MSGSND: restartNoHand,
	unix.SYS_PPOLL: restartNoHand, unix.SYS_PSELECT6: restartNoHand, unix.SYS_RT_SIGSUSPEND: restartNoHand,
}
