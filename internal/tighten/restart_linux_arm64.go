package tighten

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// state is what must be put back. The kernel restarts an interrupted call by
// itself (do_signal in arch/arm64/kernel/signal.c): before the thread stops it has put the registers
// back to before the instruction, and after the stop it may put restart_syscall(2) in the call's
// place. So a thread that stands at such an instruction is let go on to the beginning of the call,
// where its number says which one it is, and its first lent call replaces that.
type state struct {
	registers
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
		l.saved.stands, l.abi, l.borrowed = true, native, l.saved.Pc
		return nil
	}
	l.saved.vectors = make(map[int][]byte)
	for _, set := range []int{setVectors, setStreaming} {
		data, err := l.vectors(set)
		if err != nil {
			return err
		}
		if data != nil {
			l.saved.vectors[set] = data
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
	if !l.saved.stands {
		return nil
	}
	if err := l.setRegisters(&l.saved.registers); err != nil { // it may be another instruction than it stopped at
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
	l.saved.entered = true
	return nil
}

// leave has the kernel see a call that is to be restarted, for a thread that stood at one: where a
// signal has come meanwhile, the call ends with EINTR as it would have.
func (l *loan) leave() (restore bool, err error) {
	if l.saved.entered {
		return false, nil // it has made no call, and goes on with its own
	}
	kind := restarts[l.saved.Regs[number]]
	if !l.saved.stands || kind == 0 {
		return true, nil
	}
	regs := l.saved.registers
	regs.Pc += instructionSize
	regs.Regs[first] = -kind
	return true, l.setRegisters(&regs)
}

func (l *loan) restore() error {
	for set, data := range l.saved.vectors {
		if _, err := l.registerSet(unix.PTRACE_SETREGSET, set, unsafe.Pointer(unsafe.SliceData(data)), uintptr(len(data))); err != nil {
			return err
		}
	}
	return l.setRegisters(&l.saved.registers)
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
