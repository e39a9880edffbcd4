package suggest

import (
	"golang.org/x/sys/unix"
)

// Danger is why a call is dangerous to open, and who says so.
type Danger struct {
	Why    string `json:"why"`
	Source string `json:"source"`
}

var (
	mounts     = Danger{"changes what the container's file system shows, and past that what protects the node's files", "mount_namespaces(7)"}
	namespaces = Danger{"makes or joins namespaces; in a new user namespace a process has every capability, and reaches kernel code that only root does otherwise", "user_namespaces(7)"}
	modules    = Danger{"loads code into the node's kernel, or unloads it", "init_module(2)"}
	kexec      = Danger{"replaces the node's running kernel", "kexec_load(2)"}
	keyring    = Danger{"the kernel's keyrings are not namespaced by container", "https://docs.docker.com/engine/security/seccomp/"}
	ioUring    = Danger{"operations of io_uring bypass the filter: it sees none of them", "https://github.com/moby/moby/pull/46762"}
	memory     = Danger{"reads or changes other processes", "ptrace(2)"}
	clocks     = Danger{"sets the clock of the whole node", "settimeofday(2)"}
	ports      = Danger{"gives access to the node's I/O ports", "ioperm(2)"}
	pages      = Danger{"moves the memory of other processes", "move_pages(2)"}
	swap       = Danger{"changes the node's swap", "swapon(2)"}
)

// dangers are calls by which containers reach the node, or much of its kernel.
var dangers = map[string]Danger{
	"mount": mounts, "umount": mounts, "umount2": mounts, "pivot_root": mounts, "fsopen": mounts, "fsmount": mounts,
	"fsconfig": mounts, "fspick": mounts, "move_mount": mounts, "open_tree": mounts, "open_tree_attr": mounts, "mount_setattr": mounts,
	"chroot": {"with other rights it leaves the container's root directory", "chroot(2)"},

	"unshare": namespaces, "setns": namespaces, "clone3": namespaces,

	"init_module": modules, "finit_module": modules, "delete_module": modules, "create_module": modules,
	"kexec_load": kexec, "kexec_file_load": kexec,
	"reboot": {"restarts the node", "reboot(2)"},

	"keyctl": keyring, "add_key": keyring, "request_key": keyring,
	"io_uring_setup": ioUring, "io_uring_enter": ioUring, "io_uring_register": ioUring,
	"ptrace": memory, "process_vm_readv": memory, "process_vm_writev": memory, "process_madvise": memory,
	"kcmp":        {"tells which kernel objects other processes share", "kcmp(2)"},
	"pidfd_getfd": {"takes open files from other processes", "pidfd_getfd(2)"},
	"move_pages":  pages, "migrate_pages": pages,

	"bpf":               {"runs programs in the node's kernel", "bpf(2)"},
	"perf_event_open":   {"watches other processes and the kernel", "perf_event_open(2)"},
	"userfaultfd":       {"lets a program stop the kernel in the middle of a copy, which exploits of races use", "userfaultfd(2)"},
	"open_by_handle_at": {"opens any file of a file system by its number, outside of the container's root too", "open_by_handle_at(2)"},
	"fanotify_init":     {"watches the files of a whole mount", "fanotify(7)"},
	"syslog":            {"reads the kernel's log, with addresses and other containers' lines", "syslog(2)"},
	"acct":              {"writes the accounting of all processes into a file", "acct(2)"},
	"quotactl":          {"changes the quotas of the node's file systems", "quotactl(2)"},
	"quotactl_fd":       {"changes the quotas of the node's file systems", "quotactl(2)"},
	"lookup_dcookie":    {"tells paths of the node's files", "lookup_dcookie(2)"},
	"personality":       {"turns address randomization or other protection off for what is executed next", "personality(2)"},
	"modify_ldt":        {"is old and rarely tested kernel code", "modify_ldt(2)"},
	"vm86":              {"is old and rarely tested kernel code", "vm86(2)"},
	"vm86old":           {"is old and rarely tested kernel code", "vm86(2)"},
	"uselib":            {"is old and rarely tested kernel code", "uselib(2)"},
	"nfsservctl":        {"controls the node's NFS server", "nfsservctl(2)"},
	"_sysctl":           {"sets parameters of the node's kernel", "sysctl(2)"},
	"vhangup":           {"hangs the terminal up for other programs", "vhangup(2)"},
	"sethostname":       {"changes the host's name where the container shares it with the node", "sethostname(2)"},
	"setdomainname":     {"changes the host's name where the container shares it with the node", "setdomainname(2)"},

	"settimeofday": clocks, "clock_settime": clocks, "clock_settime64": clocks, "stime": clocks,
	"iopl": ports, "ioperm": ports, "swapon": swap, "swapoff": swap,
}

// newNamespaces are the flags of clone that make namespaces.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// unfamiliar are socket families that containers have no use for, or that lead out of them.
var unfamiliar = map[uint64]Danger{
	unix.AF_ALG:   {"AF_ALG is the kernel's cryptography, which has had bugs that give root", "https://github.com/moby/moby/pull/52494"},
	unix.AF_VSOCK: {"AF_VSOCK is not namespaced: it reaches the hypervisor and other machines on it", "https://github.com/containerd/containerd/issues/7442"},
}

// dangerOf returns why a call is dangerous; nil if nothing is known against it.
func dangerOf(c *Call) *Danger {
	if d, ok := dangers[c.Name]; ok {
		return &d
	}
	first, looked := c.Args[0]
	switch {
	case c.Name == "clone" && (!looked || first&newNamespaces != 0):
		return &Danger{namespaces.Why, namespaces.Source}
	case c.Name == "socket" || c.Name == "socketpair":
		if d, ok := unfamiliar[first&(1<<32-1)]; ok && looked {
			return &d
		} else if !looked {
			return &Danger{"opens every family of sockets, those that reach the hypervisor too", "socket(2)"}
		}
	}
	return nil
}
