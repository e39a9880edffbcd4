package suggest

import (
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

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
	if why := syscalls.Fallbacks[c.Name]; why != "" {
		return "ENOSYS, as on an older kernel: " + why
	}
	if !syscalls.Recent(c.Name) {
		return "" // kernels have had it for long, so programs do not expect to be without
	}
	if base.DefaultAction == specs.ActErrno && base.DefaultErrnoRet != nil && *base.DefaultErrnoRet == semantics.ENosys {
		return "" // every denial says ENOSYS
	}
	return "ENOSYS, as on an older kernel, which programs expect"
}
