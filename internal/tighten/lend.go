//go:build linux && (amd64 || arm64)

package tighten

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

func supported() error { return nil }

// tsync is SECCOMP_FILTER_FLAG_TSYNC.
const tsync = unix.SECCOMP_FILTER_FLAG_TSYNC

// errDiverged is the error for a process whose threads have different filters.
var errDiverged = errors.New("its threads have different filters")

// mostLent is how long the calls of a lent thread may take. It cannot be let go before they have
// ended: it would go on in the middle of a call that is not its own.
const mostLent = 5 * time.Second

// Requests of ptrace(2), and what belongs to them (linux/ptrace.h).
const (
	ptraceGetSignals  = 0x420a
	ptraceSetSignals  = 0x420b
	ptraceGetSequence = 0x420f
	ptraceGetDispatch = 0x4211
	signalSetSize     = 8
)

// loan is one thread while it makes calls that are not its own.
type loan struct {
	*thread
	abi      abi
	filters  []bpf.Program
	saved    state
	signals  uint64 // that it blocks
	borrowed uint64 // the address of an instruction that makes a call
}

// lend lets a thread install the filter, with flags of seccomp(2), and puts its registers back.
func (p *process) lend(t *thread, flags uint) (done bool, err error) {
	l, err := t.take(p.allStopped())
	if err != nil {
		return false, p.explain(t, err)
	}
	if err := l.mayAll(len(p.filter.Instructions)); err != nil {
		return false, p.explain(t, err)
	}
	if err := l.begin(); err != nil {
		return false, p.explain(t, err)
	}
	if err = l.enter(); err == nil {
		done, err = p.calls(l, flags)
	}
	if back := l.giveBack(); back != nil && err == nil {
		err = back
	}
	return done, p.explain(t, err)
}

// explain says why a thread could not be lent.
func (p *process) explain(t *thread, err error) error {
	switch {
	case err == nil, errors.Is(err, errDiverged):
		return err
	case t.gone, errors.Is(err, unix.ESRCH):
		return ErrGone
	}
	return &Unreached{Pid: p.pid, Reason: err.Error(), err: err}
}

// take looks at a stopped thread, and finds an instruction that it can make calls by.
func (t *thread) take(quiet bool) (*loan, error) {
	l := &loan{thread: t}
	if err := t.registers(&l.saved.registers); err != nil {
		return nil, err
	}
	if _, err := t.request(ptraceGetSignals, signalSetSize, uintptr(unsafe.Pointer(&l.signals))); err != nil {
		return nil, err
	}
	err := t.leaveSequence(&l.saved.registers)
	if err != nil {
		return nil, err
	}
	if l.filters, err = t.programs(); err != nil {
		return nil, err
	}
	if t.dispatches() {
		return nil, errors.New("it has its own system calls sent to itself (PR_SET_SYSCALL_USER_DISPATCH)")
	}
	if err := l.keep(); err != nil {
		return nil, err
	}
	if l.borrowed == 0 {
		l.abi, l.borrowed, err = t.instruction(quiet)
	}
	return l, err
}

// dispatches reports whether calls of the thread can become signals
// (Documentation/admin-guide/syscall-user-dispatch.rst). Linux before 6.4 does not say.
func (t *thread) dispatches() bool {
	var config struct{ mode, selector, offset, length uint64 }
	_, err := t.request(ptraceGetDispatch, unsafe.Sizeof(config), uintptr(unsafe.Pointer(&config)))
	return err == nil && config.mode != 0
}

// mayAll returns an error unless the thread's filters let all calls pass. What mmap will return is
// not known yet.
func (l *loan) mayAll(instructions int) error {
	for _, c := range []request{l.abi.mmap(instructions), l.abi.seccomp(0, 0), l.abi.noNewPrivs(), l.abi.munmap(0, instructions)} {
		if err := l.may(c); err != nil {
			return err
		}
	}
	return nil
}

func (l *loan) may(r request) error {
	c := bpf.Call{Arch: l.abi.arch, Nr: r.number, IP: l.borrowed + instructionSize}
	copy(c.Args[:], r.args[:])
	return passes(l.filters, r.name, c)
}

// begin blocks the thread's signals: a handler would run in between. From here until giveBack the
// kernel kills the process if this one dies.
func (l *loan) begin() error {
	if err := unix.PtraceSetOptions(l.tid, unix.PTRACE_O_EXITKILL|unix.PTRACE_O_TRACESYSGOOD); err != nil {
		return err
	}
	all := ^uint64(0)
	_, err := l.request(ptraceSetSignals, signalSetSize, uintptr(unsafe.Pointer(&all)))
	return err
}

// calls makes the calls that install the filter.
func (p *process) calls(l *loan, flags uint) (done bool, err error) {
	size := len(p.filter.Instructions)
	at, err := l.call(l.abi.mmap(size))
	if err != nil {
		return false, err
	}
	defer func() {
		if _, failed := l.call(l.abi.munmap(at, size)); failed != nil && !done && err == nil {
			err = failed
		}
	}()
	if err := l.write(at, l.abi.program(at, p.filter.Instructions)); err != nil {
		return false, err
	}
	install := l.abi.seccomp(flags|p.filter.Flags, at)
	thread, err := l.call(install)
	if errors.Is(err, unix.EACCES) {
		if _, err := l.call(l.abi.noNewPrivs()); err != nil {
			return false, err
		}
		p.NoNewPrivs = true
		thread, err = l.call(install)
	}
	switch {
	case err != nil:
		return false, err
	case thread != 0: // the kernel names one that it could not give the filter to
		return false, errDiverged
	}
	return true, nil
}

// call lets the thread make one call, and returns what it returns.
func (l *loan) call(r request) (uint64, error) {
	if err := l.may(r); err != nil {
		return 0, err
	}
	stops, err := l.set(r)
	if err != nil {
		return 0, err
	}
	for range stops {
		if err := l.resume(true, 0); err != nil {
			return 0, err
		}
		if !l.wait(time.Now().Add(mostLent), true) {
			return 0, fmt.Errorf("%s does not return", r.name)
		}
	}
	var regs registers
	if err := l.registers(&regs); err != nil {
		return 0, err
	}
	result, errno := l.abi.result(returned(&regs))
	if errno != 0 {
		return 0, fmt.Errorf("%s: %w", r.name, errno)
	}
	return result, nil
}

// write writes to memory that was mapped just now: no thread of the process has run since.
func (l *loan) write(at uint64, data []byte) error {
	local := []unix.Iovec{{Base: unsafe.SliceData(data)}}
	local[0].SetLen(len(data))
	n, err := unix.ProcessVMWritev(l.tid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: len(data)}}, 0)
	if err == nil && n != len(data) {
		err = unix.EFAULT
	}
	return err
}

// giveBack puts the thread back to where it was. It must leave the syscall-stop by way of another
// interruption: it is from there that the kernel restarts a call.
func (l *loan) giveBack() error {
	if l.gone {
		return ErrGone
	}
	restore, err := l.leave()
	if err != nil {
		return err
	}
	if err := unix.PtraceInterrupt(l.tid); err != nil {
		return err
	}
	if err := l.resume(false, 0); err != nil {
		return err
	}
	if !l.wait(time.Now().Add(mostLent), false) {
		return errors.New("does not stop again")
	}
	if restore {
		if err := l.restore(); err != nil {
			return err
		}
	}
	if _, err := l.request(ptraceSetSignals, signalSetSize, uintptr(unsafe.Pointer(&l.signals))); err != nil {
		return err
	}
	return unix.PtraceSetOptions(l.tid, 0)
}
