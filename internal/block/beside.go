package block

import (
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/syscalls"
)

// byRing are calls that a program can also have an io_uring make, by a request in memory that no
// filter sees (include/uapi/linux/io_uring.h, enum io_uring_op).
var byRing = []string{
	"accept", "accept4", "bind", "close", "connect", "epoll_ctl", "epoll_wait", "fadvise64", "fallocate", "fgetxattr", "fsetxattr",
	"fsync", "ftruncate", "futex_wait", "futex_waitv", "futex_wake", "getsockopt", "getxattr", "linkat", "listen", "madvise", "mkdirat",
	"openat", "openat2", "pipe2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readv", "recvfrom", "recvmsg",
	"renameat", "renameat2", "sendmsg", "sendto", "setsockopt", "setxattr", "shutdown", "socket", "splice", "statx", "symlinkat",
	"sync_file_range", "tee", "unlinkat", "waitid", "write", "writev",
}

// groups are calls that do the same, besides those that [syscalls.Siblings] has.
var groups = [][]string{
	{"recvmsg", "recvmmsg", "recvfrom", "recv"},
	{"futex", "futex_wait", "futex_wake", "futex_waitv", "futex_requeue"},
	{"semop", "semtimedop"},
	{"open_tree", "open_tree_attr"},
	{"poll", "ppoll"},
	{"select", "pselect6"},
	{"ptrace", "process_vm_readv", "process_vm_writev"},
	{"pipe", "pipe2"},
	{"dup", "dup2", "dup3"},
	{"inotify_init", "inotify_init1"},
	{"signalfd", "signalfd4"},
	{"eventfd", "eventfd2"},
	{"epoll_create", "epoll_create1"},
	{"epoll_wait", "epoll_pwait", "epoll_pwait2"},
	{"splice", "sendfile"},
	{"vm86", "vm86old"},
	{"mount", "fsopen", "fsmount", "move_mount"},
}

// byArguments are calls, with these arguments, that do the same as others with others.
var byArguments = map[string]string{
	"socket(AF_PACKET)":                "socket(AF_INET, SOCK_PACKET)", // __sock_create in net/socket.c
	"socket(AF_INET, SOCK_PACKET)":     "socket(AF_PACKET)",
	"socket":                           "socketpair",
	"socket(AF_UNIX)":                  "socketpair(AF_UNIX)",
	"socket(AF_TIPC)":                  "socketpair(AF_TIPC)",
	"seccomp":                          "prctl(PR_SET_SECCOMP)",
	"seccomp(SECCOMP_SET_MODE_FILTER)": "prctl(PR_SET_SECCOMP)",
	"prctl(PR_SET_SECCOMP)":            "seccomp",
}

// twins returns what byArguments has beside calls, unless it is among them.
func twins(calls []Call) (out []string) {
	for asked, other := range byArguments {
		if slices.ContainsFunc(calls, is(asked)) && !slices.ContainsFunc(calls, is(other)) {
			name, _, _ := strings.Cut(other, "(")
			if !slices.ContainsFunc(calls, is(name)) {
				out = append(out, other)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// is returns whether a call is the one that a text says, with the same arguments.
func is(text string) func(Call) bool {
	want, err := Parse(text)
	return func(c Call) bool {
		return err == nil && slices.Contains(c.Names, want.Names[0]) && slices.Equal(c.Args, want.Args)
	}
}

// alike returns calls that do what a call does: those of its groups, and what 32-bit machines have
// beside it for wider numbers.
func alike(name string) (out []string) {
	for _, group := range groups {
		if slices.Contains(group, name) {
			out = append(out, group...)
		}
	}
	for _, base := range append([]string{name}, out...) {
		for _, twin := range []string{
			base + "64", base + "_time64", base + "32", strings.TrimSuffix(base, "64"), strings.TrimSuffix(base, "_time64"), strings.TrimSuffix(base, "32"),
		} {
			if syscalls.IsSyscall(twin) {
				out = append(out, twin)
			}
		}
	}
	return slices.DeleteFunc(out, func(other string) bool { return other == name })
}
