package block

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Profile returns the profile that denies the calls on this machine and nothing else. They fail with
// EPERM, and clone3 with ENOSYS, since the C library then calls clone, whose flags a filter sees. X32
// is left out where libseccomp would misread the rules with it.
func (b Block) Profile() specs.LinuxSeccomp {
	s := b.rules(slices.Contains(b.Architectures, specs.ArchX86))
	s.Syscalls = slices.DeleteFunc(s.Syscalls, func(r specs.LinuxSyscall) bool { return !b.anyHas(r.Names) && b.anyCall() })
	if len(misread(s)) > 0 {
		s.Architectures = slices.DeleteFunc(slices.Clone(s.Architectures), func(a specs.Arch) bool { return a == specs.ArchX32 })
	}
	return s
}

// anyHas reports whether this machine has one of the calls.
func (b Block) anyHas(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		on, known := syscalls.Arches(name)
		return !known || slices.ContainsFunc(b.Architectures, func(a specs.Arch) bool { return on&syscalls.SetOf[a] != 0 })
	})
}

// anyCall reports whether this machine has any of the block's calls.
func (b Block) anyCall() bool {
	return slices.ContainsFunc(b.Calls, func(c Call) bool { return b.anyHas(c.Names) })
}

// rules returns the profile for machines of each kind, with i386's multiplexers or without them.
func (b Block) rules(multiplexed bool) specs.LinuxSeccomp {
	s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: b.Architectures}
	versions := !multiplexed // of ipc are denied
	for _, c := range b.Calls {
		errno := b.Errno
		if errno == 0 {
			errno = unix.EPERM
			if slices.Contains(c.Names, "clone3") {
				errno = unix.ENOSYS
			}
		}
		number := uint(errno)
		deny := func(names []string, args ...specs.LinuxSeccompArg) {
			s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: names, Action: specs.ActErrno, ErrnoRet: &number, Args: args})
		}
		if multiplexed && c.byAccident() && !slices.ContainsFunc(b.Calls, c.deniedBy) {
			behind := syscalls.Multiplexed[c.Names[0]]
			deny([]string{behind.By}, specs.LinuxSeccompArg{Index: 0, Op: specs.OpEqualTo, Value: behind.Call})
		}
		deny(c.Names, c.Args...)
		if slices.ContainsFunc(c.Names, behindIPC) && !versions {
			deny([]string{"ipc"}, specs.LinuxSeccompArg{Index: 0, Op: specs.OpGreaterThan, Value: syscalls.IPCCalls})
			versions = true
		}
	}
	return s
}

// byAccident reports whether libseccomp compares what the call's conditions say with a pointer
// where 32-bit programs make it through socketcall or ipc: it drops that on argument 0 alone.
func (c Call) byAccident() bool {
	return c.ByPointer() && slices.ContainsFunc(c.Args, func(a specs.LinuxSeccompArg) bool { return a.Index != 0 })
}

// deniedBy reports whether libseccomp denies the call there for what other says.
func (c Call) deniedBy(other Call) bool {
	return slices.Contains(other.Names, c.Names[0]) && !other.byAccident()
}

// misread returns the ABIs of this machine for which libseccomp may make a filter of s in which no
// rule matches.
func misread(s specs.LinuxSeccomp) []specs.Arch {
	return semantics.Misread(&s, syscalls.Native[runtime.GOARCH])
}

// legible returns an error for a block of which libseccomp makes a filter that lets programs make all
// of its calls: on i386 where they have one of them through a multiplexer alone, elsewhere where they
// do not have the one of the first rule.
func (b Block) legible() error {
	found := misread(b.Profile())
	switch {
	case len(found) == 0:
		return nil
	case !slices.Contains(found, specs.ArchX86):
		return fmt.Errorf("libseccomp would make a filter of these calls that lets programs of %s make them all, since it lacks one; write a block for each", found[0])
	}
	var by []string
	for _, c := range b.Calls {
		for _, name := range c.Names {
			if m, ok := syscalls.Multiplexed[name]; ok && !slices.Contains(by, m.By) {
				by = append(by, m.By)
			}
		}
	}
	return fmt.Errorf("libseccomp would make a filter of these calls that lets 32-bit programs make them all; block %s, too", strings.Join(by, " and "))
}

func behindIPC(name string) bool { return syscalls.Multiplexed[name].By == "ipc" }
