package live

import (
	"syscall"
	"unsafe"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// shared is memory that the tracer fills in.
type shared struct {
	state, errno uint32
	count        uint32
	lengths      [maxFilters]uint32
	flags        [maxFilters]uint64 // SECCOMP_FILTER_FLAG_*, of which the kernel tells only LOG
	code         [maxInstructions]bpf.Instruction
}

// Limits of a task's filters: MAX_INSNS_PER_PATH of kernel/seccomp.c, where each
// filter counts for four instructions more.
const (
	maxInstructions = 32768
	maxFilters      = maxInstructions / 5
)

// States of the tracer: how far it came before it failed, or that it is done.
const (
	stateStarted   = iota
	stateAttaching // failed to attach
	stateAttached  // failed to see the process stop
	stateReading   // failed to read a filter
	stateDone
)

// Requests of ptrace(2) that x/sys does not name (linux/ptrace.h).
const (
	ptraceGetFilter   = 0x420c
	ptraceGetMetadata = 0x420d
)

// metadata is struct seccomp_metadata of linux/ptrace.h.
type metadata struct{ index, flags uint64 }

// The tracer tries to read the first filter until the thread has stopped. It yields after each
// of the first maxYields tries, since a thread mostly stops at once, and then waits
// pauseMicroseconds.
const (
	pauseMicroseconds = 50
	maxYields         = 20
)

// fork makes the tracer of a thread: a copy of this process that runs only trace.
//
// The copy has one thread, and so must not use Go's runtime: it makes raw system calls only,
// and all signals are blocked, since a signal would call into the runtime. It shares this
// process's table of open files (CLONE_FILES), so that it keeps no file open. It sends no
// signal when it ends, so that only a caller that waits for it by its number notices. The
// caller must have locked its thread.
//
//go:nosplit
//go:norace
func fork(s *shared, tid uintptr, tries int64) (tracer int, errno syscall.Errno) {
	all, old := ^uint64(0), uint64(0)
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&old)), 8, 0, 0)
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, unix.CLONE_FILES, 0, 0, 0, 0, 0)
	if errno == 0 && pid == 0 {
		trace(s, tid, tries)
		for {
			syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 0, 0, 0, 0, 0, 0)
		}
	}
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&old)), 0, 8, 0, 0)
	return int(pid), errno
}

// trace attaches to a thread, reads its filters and detaches. If trace ends before, the kernel
// releases the thread.
//
//go:nosplit
//go:norace
func trace(s *shared, tid uintptr, tries int64) {
	syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0, 0)
	_, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, tid, 0, 0, 0, 0)
	if errno == 0 {
		_, _, errno = syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_INTERRUPT, tid, 0, 0, 0, 0)
	}
	if errno != 0 {
		s.state, s.errno = stateAttaching, uint32(errno)
		return
	}
	pause := unix.Timespec{Nsec: pauseMicroseconds * 1000}
	used, yields := uintptr(0), 0
	for s.count < maxFilters {
		n, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE, ptraceGetFilter, tid, uintptr(s.count), 0, 0, 0)
		if errno == unix.ESRCH && s.count == 0 { // not stopped yet
			if tries--; tries < 0 {
				s.state, s.errno = stateAttached, uint32(errno)
				return
			}
			if yields++; yields < maxYields {
				syscall.RawSyscall6(unix.SYS_SCHED_YIELD, 0, 0, 0, 0, 0, 0)
				continue
			}
			syscall.RawSyscall6(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0, 0, 0, 0)
			continue
		}
		if errno == unix.ENOENT {
			break // no more
		}
		if errno == 0 && used+n <= maxInstructions {
			_, _, errno = syscall.RawSyscall6(unix.SYS_PTRACE, ptraceGetFilter, tid, uintptr(s.count), uintptr(unsafe.Pointer(&s.code))+used*unsafe.Sizeof(s.code[0]), 0, 0)
		}
		if errno != 0 || used+n > maxInstructions {
			s.state, s.errno = stateReading, uint32(errno)
			return
		}
		s.lengths[s.count] = uint32(n)
		about := metadata{index: uint64(s.count)}
		if _, _, errno = syscall.RawSyscall6(unix.SYS_PTRACE, ptraceGetMetadata, tid, unsafe.Sizeof(about), uintptr(unsafe.Pointer(&about)), 0, 0); errno == 0 {
			s.flags[s.count] = about.flags
		}
		s.count++
		used += n
	}
	// A signal may have arrived meanwhile and stopped the thread. It must be passed on now,
	// or the thread never gets it (ptrace(2), "Signal-delivery-stop").
	var status uint32
	signal := uintptr(0)
	got, _, _ := syscall.RawSyscall6(unix.SYS_WAIT4, tid, uintptr(unsafe.Pointer(&status)), unix.WNOHANG|unix.WALL, 0, 0, 0)
	if got == tid && status&0xff == 0x7f && status>>16 != unix.PTRACE_EVENT_STOP {
		signal = uintptr(status >> 8 & 0xff)
	}
	syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_DETACH, tid, 0, signal, 0, 0)
	s.state = stateDone
}
