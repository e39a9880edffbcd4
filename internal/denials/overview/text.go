package overview

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/policy/decode"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Call returns the first call of a kind as text: unshare(CLONE_NEWUSER). A call of another
// architecture than native ends with the architecture.
func Call(d *denials.Denial, native specs.Arch) string {
	args := d.Sample.Args
	for i, v := range d.Args { // what was judged, not what the sample says
		if i < uint(len(args)) {
			args[i] = v
		}
	}
	text := decode.Call(d.Arch, name(d.Kind), args, d.Args)
	if d.Arch != native {
		if d.Arch == "" {
			return text + " [unknown architecture]"
		}
		text += " [" + string(d.Arch) + "]"
	}
	return text
}

// name names a call; of one that has none it gives the number.
func name(k denials.Kind) string {
	if !syscalls.IsSyscall(k.Syscall) {
		return "syscall " + Printable(k.Syscall)
	}
	return k.Syscall
}

// Result returns what the profile says of a kind: the errno's name, killed, or SIGSYS.
func Result(k denials.Kind) string {
	switch k.Action {
	case specs.ActErrno:
		if name := unix.ErrnoName(unix.Errno(k.Errno)); name != "" {
			return name
		}
		return fmt.Sprintf("errno %d", k.Errno)
	case specs.ActKill, specs.ActKillProcess, specs.ActKillThread:
		return "killed"
	case specs.ActTrap:
		return "SIGSYS"
	}
	return string(k.Action)
}

// By returns the program that made the first call of a kind, with its number in the container.
func By(s denials.Sample) string {
	comm := s.Comm
	if comm == "" {
		comm = "?"
	}
	return fmt.Sprintf("%s[%d]", Printable(comm), s.Pid)
}

// Printable returns text without what would end a line, or that terminals obey.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
