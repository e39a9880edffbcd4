package syscalls

import "slices"

// siblings are groups of system calls that do the same: a program that is denied one makes
// another. The C library chooses among them by itself.
var siblings = [][]string{
	{"chmod", "fchmod", "fchmodat", "fchmodat2"},
	{"chown", "lchown", "fchown", "fchownat", "chown32", "lchown32", "fchown32"},
	{"open", "openat", "openat2", "creat"},
	{"mkdir", "mkdirat"},
	{"unlink", "unlinkat"},
	{"rmdir", "unlinkat"},
	{"rename", "renameat", "renameat2"},
	{"link", "linkat"},
	{"symlink", "symlinkat"},
	{"mknod", "mknodat"},
	{"truncate", "ftruncate", "truncate64", "ftruncate64"},
	{"utime", "utimes", "futimesat", "utimensat", "utimensat_time64"},
	{"setxattr", "lsetxattr", "fsetxattr", "setxattrat"},
	{"removexattr", "lremovexattr", "fremovexattr", "removexattrat"},
	{"execve", "execveat"},
	{"clone", "clone3"},
	{"fork", "vfork", "clone", "clone3"},
	{"setuid", "setreuid", "setresuid", "setuid32", "setreuid32", "setresuid32"},
	{"setgid", "setregid", "setresgid", "setgid32", "setregid32", "setresgid32"},
	{"mount", "move_mount"},
	{"umount", "umount2"},
	{"quotactl", "quotactl_fd"},
	{"init_module", "finit_module"},
	{"kexec_load", "kexec_file_load"},
	{"settimeofday", "clock_settime", "clock_settime64", "adjtimex", "clock_adjtime", "clock_adjtime64", "stime"},
	{"setrlimit", "prlimit64"},
	{"accept", "accept4"},
	{"sendto", "sendmsg", "sendmmsg", "send"},
	{"kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"},
	{"mprotect", "pkey_mprotect"},
	{"mmap", "mmap2"},
	{"sched_setscheduler", "sched_setparam", "sched_setattr"},
	{"process_vm_readv", "ptrace"},
	{"process_vm_writev", "ptrace"},
}

// Siblings returns the calls of arches that can do what a call does, in the order of
// their groups, without the call itself.
func Siblings(name string, arches ArchSet) (out []string) {
	for _, group := range siblings {
		if !slices.Contains(group, name) || oneWay[group[0]] && group[0] != name {
			continue
		}
		for _, other := range group {
			on, _ := Arches(other)
			if other != name && on&arches != 0 && !slices.Contains(out, other) {
				out = append(out, other)
			}
		}
	}
	return out
}

// oneWay are the groups whose first call the others can do, and not the other way round.
var oneWay = map[string]bool{
	"rmdir": true, "mount": true, "fork": true, "process_vm_readv": true, "process_vm_writev": true,
}
