package suggest

import (
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// fallbacks are calls that the C library and others try first, and do without if they fail
// with ENOSYS, as on an older kernel.
var fallbacks = map[string]string{
	"clone3": "the C library takes clone", "openat2": "programs take openat", "faccessat2": "the C library takes faccessat",
	"fchmodat2": "the C library takes chmod on /proc/self/fd", "statx": "the C library takes newfstatat", "rseq": "the C library does without",
	"close_range": "programs close one descriptor after the other", "epoll_pwait2": "programs take epoll_pwait",
	"pidfd_open": "programs take the process's number", "mseal": "the C library does without",
	"map_shadow_stack": "the C library does without", "futex_waitv": "programs take futex",
	"copy_file_range": "programs take read and write", "memfd_create": "programs take a file",
	"membarrier": "programs take a slower barrier", "getrandom": "programs read /dev/urandom",
}

// survived are calls that some programs try once, and do without whatever the errno.
var survived = map[string]string{
	"io_uring_setup": "Node.js (libuv) does without, and takes epoll; --dangerous opens it for programs that need it",
	"get_mempolicy":  "libnuma does without, and takes the machine for one node",
}

// probeOf says why a denied call can be left denied, because programs survive that; it is empty
// if nothing is known.
func probeOf(base *specs.LinuxSeccomp, c *Call) string {
	if why := survived[c.Name]; why != "" {
		return why
	}
	if c.Action != specs.ActErrno || c.Errno != semantics.ENosys {
		return ""
	}
	if why := fallbacks[c.Name]; why != "" {
		return "ENOSYS, as on an older kernel: " + why
	}
	if !recent(c.Name) {
		return "" // kernels have had it for long, so programs do not expect to be without
	}
	if base.DefaultAction == specs.ActErrno && base.DefaultErrnoRet != nil && *base.DefaultErrnoRet == semantics.ENosys {
		return "" // every denial says ENOSYS
	}
	return "ENOSYS, as on an older kernel, which programs expect"
}

// firstRecent is the number of pidfd_send_signal, the first call of Linux 5.1. Calls that came with
// it or since have one number on all architectures.
const firstRecent = 424

// recent reports whether a call came with Linux 5.1 or later.
func recent(name string) bool {
	nr, ok := syscalls.Number(specs.ArchX86_64, name)
	return ok && nr >= firstRecent
}
