package profile

import (
	"sort"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

//go:generate go run ./gensyscalls zsyscalls.go

// syscallName is one system call and the architectures that have it, as far
// as Batten tells them apart.
type syscallName struct {
	name string
	on   archSet
}

type archSet uint8

const (
	onX8664 archSet = 1 << iota
	onX86
	onAarch64
	onARM
)

// setOf maps the architectures that the table knows. x32 has the names of
// x86_64, by other numbers.
var setOf = map[specs.Arch]archSet{
	specs.ArchX86_64: onX8664, specs.ArchX32: onX8664, specs.ArchX86: onX86,
	specs.ArchAARCH64: onAarch64, specs.ArchARM: onARM,
}

// multiplexed are the calls that i386 also reaches through socketcall(2) and
// ipc(2). libseccomp turns rules on them into rules on those two, so they
// exist on x86 even where they have no number of their own.
var multiplexed = map[string]bool{
	"socket": true, "bind": true, "connect": true, "listen": true, "accept": true,
	"getsockname": true, "getpeername": true, "socketpair": true, "send": true,
	"recv": true, "sendto": true, "recvfrom": true, "shutdown": true,
	"setsockopt": true, "getsockopt": true, "sendmsg": true, "recvmsg": true,
	"accept4": true, "recvmmsg": true, "sendmmsg": true,
	"semop": true, "semget": true, "semctl": true, "semtimedop": true,
	"msgsnd": true, "msgrcv": true, "msgget": true, "msgctl": true,
	"shmat": true, "shmdt": true, "shmget": true, "shmctl": true,
}

// lookup returns the architectures that have the call name, and whether any
// architecture of Linux has it.
func lookup(name string) (archSet, bool) {
	i, ok := sort.Find(len(syscallTable), func(i int) int {
		switch t := syscallTable[i].name; {
		case name < t:
			return -1
		case name > t:
			return 1
		}
		return 0
	})
	on := archSet(0)
	if ok {
		on = syscallTable[i].on
	}
	if multiplexed[name] {
		return on | onX86, true
	}
	return on, ok
}
