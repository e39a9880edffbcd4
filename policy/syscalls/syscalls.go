package syscalls

import (
	"sync"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

//go:generate go run ./gensyscalls zsyscalls.go
//go:generate go run ./gensignatures zsignatures.go

// Entry is one system call: the architectures that have it, of those that Batten knows, and
// its number on each.
type Entry struct {
	Name string
	on   ArchSet
	nr   numbers
}

type ArchSet uint8

const (
	OnX8664 ArchSet = 1 << iota
	OnX86
	OnAarch64
	OnARM
)

// numbers are those of x86_64, x86, aarch64 and arm, in the order of archSet.
type numbers [4]uint16

// SetOf maps the architectures that the table knows. x32 has the names of
// x86_64, some by other numbers.
var SetOf = map[specs.Arch]ArchSet{
	specs.ArchX86_64: OnX8664, specs.ArchX32: OnX8664, specs.ArchX86: OnX86,
	specs.ArchAARCH64: OnAarch64, specs.ArchARM: OnARM,
}

// x32Number are the calls to which x32 gives another number than x86_64
// (arch/x86/entry/syscalls/syscall_64.tbl), without the bit that marks x32.
var x32Number = map[string]int{
	"rt_sigaction": 512, "rt_sigreturn": 513, "ioctl": 514, "readv": 515, "writev": 516,
	"recvfrom": 517, "sendmsg": 518, "recvmsg": 519, "execve": 520, "ptrace": 521,
	"rt_sigpending": 522, "rt_sigtimedwait": 523, "rt_sigqueueinfo": 524, "sigaltstack": 525,
	"timer_create": 526, "mq_notify": 527, "kexec_load": 528, "waitid": 529,
	"set_robust_list": 530, "get_robust_list": 531, "vmsplice": 532, "move_pages": 533,
	"preadv": 534, "pwritev": 535, "rt_tgsigqueueinfo": 536, "recvmmsg": 537, "sendmmsg": 538,
	"process_vm_readv": 539, "process_vm_writev": 540, "setsockopt": 541, "getsockopt": 542,
	"io_setup": 543, "io_submit": 544, "execveat": 545, "preadv2": 546, "pwritev2": 547,
}

// Multiplex is a call's place behind one of i386's two multiplexers.
type Multiplex struct {
	By   string // socketcall or ipc
	Call uint64 // the value of the multiplexer's first argument
}

// IPCCalls are the bits of ipc's first argument that say which call it is. What is above is a version,
// which the kernel ignores (ipc/syscall.c), and libseccomp compares all of it.
const IPCCalls = 0xffff

// Multiplexed are the calls that i386 also reaches through socketcall(2) and
// ipc(2) (linux/net.h, linux/ipc.h). libseccomp turns rules on them into rules
// on those two, so they exist on x86 even where they have no number of their own.
var Multiplexed = map[string]Multiplex{
	"socket": {"socketcall", 1}, "bind": {"socketcall", 2}, "connect": {"socketcall", 3},
	"listen": {"socketcall", 4}, "accept": {"socketcall", 5}, "getsockname": {"socketcall", 6},
	"getpeername": {"socketcall", 7}, "socketpair": {"socketcall", 8}, "send": {"socketcall", 9},
	"recv": {"socketcall", 10}, "sendto": {"socketcall", 11}, "recvfrom": {"socketcall", 12},
	"shutdown": {"socketcall", 13}, "setsockopt": {"socketcall", 14}, "getsockopt": {"socketcall", 15},
	"sendmsg": {"socketcall", 16}, "recvmsg": {"socketcall", 17}, "accept4": {"socketcall", 18},
	"recvmmsg": {"socketcall", 19}, "sendmmsg": {"socketcall", 20},
	"semop": {"ipc", 1}, "semget": {"ipc", 2}, "semctl": {"ipc", 3}, "semtimedop": {"ipc", 4},
	"msgsnd": {"ipc", 11}, "msgrcv": {"ipc", 12}, "msgget": {"ipc", 13}, "msgctl": {"ipc", 14},
	"shmat": {"ipc", 21}, "shmdt": {"ipc", 22}, "shmget": {"ipc", 23}, "shmctl": {"ipc", 24},
}

// tableIndex has the lines of syscallTable by name.
var tableIndex = sync.OnceValue(func() map[string]int {
	out := make(map[string]int, len(Table))
	for i, s := range Table {
		out[s.Name] = i
	}
	return out
})

// entry returns the table's line for a name.
func entry(name string) (Entry, bool) {
	i, ok := tableIndex()[name]
	if !ok {
		return Entry{}, false
	}
	return Table[i], true
}

// Arches returns the architectures that have the call name, and whether any
// architecture of Linux has it.
func Arches(name string) (ArchSet, bool) {
	e, ok := entry(name)
	if _, behind := Multiplexed[name]; behind {
		return e.on | OnX86, true
	}
	return e.on, ok
}

// X32Bit is set in the numbers of x32 calls (__X32_SYSCALL_BIT, asm/unistd.h).
const X32Bit = 1 << 30

// Number returns the number that arch gives the call by itself, not through a
// multiplexer; ok is false where arch does not have the call or Batten does not know
// it. Numbers of x32 have bit 30 set.
func Number(arch specs.Arch, name string) (nr int, ok bool) {
	e, _ := entry(name)
	if e.on&SetOf[arch] == 0 {
		return 0, false
	}
	if arch == specs.ArchX32 {
		if nr, ok := x32Number[name]; ok {
			return nr | X32Bit, true
		}
		return int(e.nr[0]) | X32Bit, true
	}
	for i, n := range e.nr {
		if SetOf[arch] == 1<<i {
			return int(n), true
		}
	}
	return 0, false
}

// StubNumber returns the number of a call as runc's ENOSYS stub counts it: on i386
// libseccomp has none for calls behind a multiplexer.
func StubNumber(arch specs.Arch, name string) (nr int, ok bool) {
	if _, behind := Multiplexed[name]; behind && arch == specs.ArchX86 {
		return 0, false
	}
	return Number(arch, name)
}

// Native maps Go's architectures to libseccomp's.
var Native = map[string]specs.Arch{
	"386": specs.ArchX86, "amd64": specs.ArchX86_64,
	"arm": specs.ArchARM, "arm64": specs.ArchAARCH64,
	"loong64": specs.ArchLOONGARCH64, "ppc64le": specs.ArchPPC64LE,
	"riscv64": specs.ArchRISCV64, "s390x": specs.ArchS390X,
}
