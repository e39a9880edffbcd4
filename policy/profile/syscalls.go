package profile

import (
	"sync"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

//go:generate go run ./gensyscalls zsyscalls.go

// syscallName is one system call, the architectures that have it, as far as
// Batten tells them apart, and its number on each.
type syscallName struct {
	name string
	on   archSet
	nr   numbers
}

type archSet uint8

const (
	onX8664 archSet = 1 << iota
	onX86
	onAarch64
	onARM
)

// numbers are those of x86_64, x86, aarch64 and arm, in the order of archSet.
type numbers [4]uint16

// setOf maps the architectures that the table knows. x32 has the names of
// x86_64, some by other numbers.
var setOf = map[specs.Arch]archSet{
	specs.ArchX86_64: onX8664, specs.ArchX32: onX8664, specs.ArchX86: onX86,
	specs.ArchAARCH64: onAarch64, specs.ArchARM: onARM,
}

// x32Number are the calls that x32 has by a number of its own
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

// multiplex is a call's place behind one of i386's two multiplexers.
type multiplex struct {
	by   string // socketcall or ipc
	call uint64 // the value of the multiplexer's first argument
}

// multiplexed are the calls that i386 also reaches through socketcall(2) and
// ipc(2) (linux/net.h, linux/ipc.h). libseccomp turns rules on them into rules
// on those two, so they exist on x86 even where they have no number of their own.
var multiplexed = map[string]multiplex{
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
	out := make(map[string]int, len(syscallTable))
	for i, s := range syscallTable {
		out[s.name] = i
	}
	return out
})

// entry is the table's line for a name.
func entry(name string) (syscallName, bool) {
	i, ok := tableIndex()[name]
	if !ok {
		return syscallName{}, false
	}
	return syscallTable[i], true
}

// lookup returns the architectures that have the call name, and whether any
// architecture of Linux has it.
func lookup(name string) (archSet, bool) {
	e, ok := entry(name)
	if _, behind := multiplexed[name]; behind {
		return e.on | onX86, true
	}
	return e.on, ok
}

// x32Bit is set in the numbers of x32 calls (__X32_SYSCALL_BIT, asm/unistd.h).
const x32Bit = 1 << 30

// numberOn is the number that arch gives the call by itself, not through a
// multiplexer.
func numberOn(arch specs.Arch, name string) (nr int, ok bool) {
	e, _ := entry(name)
	if e.on&setOf[arch] == 0 {
		return 0, false
	}
	if arch == specs.ArchX32 {
		if nr, ok := x32Number[name]; ok {
			return nr | x32Bit, true
		}
		return int(e.nr[0]) | x32Bit, true
	}
	for i, n := range e.nr {
		if setOf[arch] == 1<<i {
			return int(n), true
		}
	}
	return 0, false
}

// stubNumber is the number of a call that counts for runc's ENOSYS stub: on
// i386 libseccomp gives it none for calls behind a multiplexer.
func stubNumber(arch specs.Arch, name string) (nr int, ok bool) {
	if _, behind := multiplexed[name]; behind && arch == specs.ArchX86 {
		return 0, false
	}
	return numberOn(arch, name)
}
