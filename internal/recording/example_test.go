package recording_test

import (
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/internal/recording"
)

// What one container did, and the profile of that.
func Example() {
	r, err := recording.Read("web.json", []byte(`{"battenRecording": 1, "machine": "x86_64", "containers": [{"start": true, "calls": [
		{"arch": "SCMP_ARCH_X86_64", "nr": 0, "name": "read", "program": "web"},
		{"arch": "SCMP_ARCH_X86_64", "nr": 41, "name": "socket", "program": "web", "arguments": [{"index": 0, "value": 2}]}
	]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	yes := true
	made, err := recording.Profile([]*recording.Recording{r}, recording.Options{NoNewPrivileges: &yes})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, rule := range made.Seccomp.Syscalls[:2] {
		fmt.Println(strings.Join(rule.Names, " "), rule.Action, rule.Args)
	}
	fmt.Println("read:", made.By["read"])
	// Output:
	// capset clock_nanosleep close close_range epoll_create1 epoll_ctl epoll_pwait eventfd2 execve exit exit_group faccessat fchown fcntl fstat fstatfs futex getdents64 getpid gettid kill madvise mmap mprotect munmap nanosleep openat openat2 pause prctl read recvfrom restart_syscall rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_yield setgroups setresgid setresuid sigaltstack statx tgkill umask uname wait4 write SCMP_ACT_ALLOW []
	// clone SCMP_ACT_ALLOW [{0 2114060288 0 SCMP_CMP_MASKED_EQ}]
	// read: web first, 1 of 1 containers
}
