package syscalls

import specs "github.com/opencontainers/runtime-spec/specs-go"

// Fallbacks are calls that the C library and others try first, and do without if they fail
// with ENOSYS, as on an older kernel. The values say what they do then.
var Fallbacks = map[string]string{
	"clone3": "the C library takes clone", "openat2": "programs take openat", "faccessat2": "the C library takes faccessat",
	"fchmodat2": "the C library takes chmod on /proc/self/fd", "statx": "the C library takes newfstatat", "rseq": "the C library does without",
	"close_range": "programs close one descriptor after the other", "epoll_pwait2": "programs take epoll_pwait",
	"pidfd_open": "programs take the process's number", "mseal": "the C library does without",
	"map_shadow_stack": "the C library does without", "futex_waitv": "programs take futex",
	"copy_file_range": "programs take read and write", "memfd_create": "programs take a file",
	"membarrier": "programs take a slower barrier", "getrandom": "programs read /dev/urandom",
}

// firstRecent is the number of pidfd_send_signal, the first call of Linux 5.1. Calls that came with
// it or since have one number on all architectures.
const firstRecent = 424

// Recent reports whether a call came with Linux 5.1 or later. Programs expect that a kernel does
// not have it, and says ENOSYS.
func Recent(name string) bool {
	nr, ok := Number(specs.ArchX86_64, name)
	return ok && nr >= firstRecent
}
