package observe

import "github.com/batten-runtime/batten/policy/syscalls"

// A runtime loads the filter, and only then hands the listener its descriptor, under that
// filter: runc's init tells its parent by a pipe, crun a child that it has made before.
// What the filter notifies of in between waits for an answer that nobody can give. Such
// calls stay as the profile has them. A profile that denies one of those by which the listener
// is handed over cannot be observed with Count, see [HandsOver]; without a listener the runtime
// does not make these calls, and containers start.

// beforeHandover are the calls that runc 1.5.2, the Go runtime in it, and crun 1.8.1 may make
// there.
var beforeHandover = []string{
	// the message, and the wait for the answer
	"read", "write", "readv", "writev", "sendmsg", "recvmsg", "sendto", "recvfrom", "close", "wait4", "waitid",
	"poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_ctl", "epoll_create1", "eventfd2", "pipe2",
	// the Go runtime's scheduler, timers and signals, and malloc
	"futex", "sched_yield", "sched_getaffinity", "nanosleep", "clock_nanosleep", "clock_gettime", "gettimeofday", "time", "restart_syscall",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill", "tkill", "getpid", "gettid",
	"munmap", "madvise", "brk", "exit", "exit_group", "getrandom",
	"rseq", "set_robust_list", "set_tid_address", "arch_prctl", "seccomp", "timer_create", "timer_settime", "timer_delete", "setitimer",
}

// byThreads are calls that they make with arguments that a usual profile allows, and of which
// it denies others. If the profile allows none at all, they count as the ones above: of clone3,
// which the C library tries first for a new thread, usual profiles say ENOSYS.
var byThreads = []string{"clone", "clone3", "fork", "vfork", "mmap", "mprotect", "fcntl", "prctl"}

// byRunc and byCrun are the calls without which they cannot hand the listener over: measured by
// denying one call at a time under runc 1.1.5 and 1.5.2, crun 1.8.1 and 1.21.
var (
	byRunc = []string{"read", "recvfrom"}
	byCrun = []string{"wait4"}
)

// HandsOver returns the calls without which a runtime cannot hand the listener over. Under a
// profile that denies one of them no container with a listener starts.
func HandsOver(r syscalls.Runtime) []string {
	if r.IsCrun() {
		return byCrun
	}
	return byRunc
}
