package live

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// ErrRuns is the error for a process or thread that does not stop: it is frozen, waits in
// the kernel for something that cannot be interrupted, or another process traces it.
var ErrRuns = errors.New("does not stop")

// ErrGone is the error for a process or thread that has ended, or is ending and has already
// given its filters back.
var ErrGone = errors.New("has ended")

// Filter is one filter of a thread, as the kernel holds it.
type Filter struct {
	Instructions []bpf.Instruction
	// Flags are the SECCOMP_FILTER_FLAG_* that the kernel tells: LOG alone.
	Flags uint64
}

// Read returns the filters of a process, the one installed first in front. The process
// stops for as long as that takes, well below a millisecond, and goes on in any case.
// If the first thread does not stop within limit, Read asks another thread or a child of
// the process, which has the same filters and perhaps more.
//
// It needs CAP_SYS_PTRACE and CAP_SYS_ADMIN, no filter on the caller, and a kernel with
// CONFIG_CHECKPOINT_RESTORE.
func Read(pid int, limit time.Duration) ([]Filter, error) {
	filters, err := ReadThread(pid, limit)
	if !errors.Is(err, ErrRuns) {
		return filters, err
	}
	for _, other := range others(pid) {
		if filters, err := ReadThread(other, limit); err == nil {
			return filters, nil
		}
	}
	return nil, err
}

// maxOthers bounds how many other threads and children are asked.
const maxOthers = 4

// others returns threads and children of a process.
func others(pid int) (out []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, task := range tasks {
		if tid, err := strconv.Atoi(filepath.Base(task)); err == nil && tid != pid {
			out = append(out, tid)
		}
		children, _ := os.ReadFile(filepath.Join(task, "children"))
		for _, child := range strings.Fields(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				out = append(out, n)
			}
		}
	}
	return out[:min(len(out), maxOthers)]
}

// ReadThread returns the filters of one thread, as [Read] does of a process. It waits at
// most limit, and a little longer if the kernel does not let the tracer end.
func ReadThread(tid int, limit time.Duration) ([]Filter, error) {
	memory, err := unix.Mmap(-1, 0, int(unsafe.Sizeof(shared{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("cannot be traced: no memory to share with a tracer: %w", err)
	}
	defer func() { _ = unix.Munmap(memory) }()
	s := (*shared)(unsafe.Pointer(unsafe.SliceData(memory)))

	runtime.LockOSThread() // if this thread ended, the kernel would kill the tracer
	defer runtime.UnlockOSThread()
	tracer, errno := fork(s, uintptr(tid), limit.Microseconds()/pauseMicroseconds)
	if errno != 0 {
		return nil, fmt.Errorf("cannot be traced: no tracer can be started: %w", errno)
	}
	wait(tracer, limit)
	filters, err := s.filters()
	switch {
	case errors.Is(err, unix.EPERM) && untraceable(tid):
		return nil, fmt.Errorf("%w: %w", ErrRuns, err)
	case errors.Is(err, errNoFilter) && unfiltered(tid):
		return nil, nil
	case errors.Is(err, errNoFilter):
		return nil, ErrGone
	}
	return filters, err
}

// untraceable reports whether nobody can trace a thread now: another process does, or the
// thread has ended (ptrace_attach in kernel/ptrace.c). A program can bring either about.
func untraceable(tid int) bool {
	s, err := procfs.StatusOf(tid)
	return err == nil && (s.Ended() || s.Tracer != 0)
}

// errNoFilter is the error for a thread for which the kernel holds no filter: it never had
// one, or it is ending and has given its filters back (seccomp_filter_release in
// kernel/seccomp.c). Its mode stays in the second case.
var errNoFilter = errors.New("has no filter")

// unfiltered reports whether a thread never had a filter.
func unfiltered(tid int) bool {
	s, err := procfs.StatusOf(tid)
	return err == nil && s.Seccomp == 0
}

// wait returns when the tracer has ended; it kills the tracer after limit.
func wait(tracer int, limit time.Duration) {
	var mu sync.Mutex
	ended := false // guarded by mu: the number may be another process's then
	timer := time.AfterFunc(limit+grace, func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			_ = unix.Kill(tracer, unix.SIGKILL)
		}
	})
	defer timer.Stop()
	// The process stays a zombie until it is waited for without WNOWAIT.
	for {
		err := unix.Waitid(unix.P_PID, tracer, nil, unix.WEXITED|unix.WNOWAIT|unix.WALL, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	mu.Lock()
	defer mu.Unlock()
	ended = true
	for {
		if _, err := unix.Wait4(tracer, nil, unix.WALL, nil); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// grace is what a tracer has beyond its own limit before it is killed.
const grace = 20 * time.Millisecond

// filters returns what the tracer has read.
func (s *shared) filters() ([]Filter, error) {
	switch errno := syscall.Errno(s.errno); {
	case s.state == stateDone:
	case s.state == stateStarted, errno == unix.ESRCH && s.state == stateAttached:
		return nil, ErrRuns
	case s.state == stateReading && errno == unix.EINVAL && s.count == 0:
		return nil, errNoFilter
	case errno == unix.ESRCH, errno == unix.EINVAL:
		return nil, ErrGone
	case s.state == stateAttaching:
		return nil, fmt.Errorf("cannot be traced: %w", errno)
	default:
		return nil, fmt.Errorf("has filters that cannot be read: %w", errno)
	}
	var out []Filter
	code := s.code[:]
	for i, n := range s.lengths[:s.count] {
		out = append(out, Filter{Instructions: slices.Clone(code[:n]), Flags: s.flags[i]})
		code = code[n:]
	}
	return out, nil
}
