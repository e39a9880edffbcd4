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
