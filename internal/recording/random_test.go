package recording_test

import (
	"math/rand/v2"
	"slices"

	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var (
	someNames  = []string{"clone", "clone3", "socket", "socketpair", "personality", "prctl", "ioctl", "socketcall", "ipc", "semop", "connect", "futex_waitv", "cachestat", "execve", "umount", "setsockopt"}
	someValues = []uint64{0, 1, 2, 8, 10, 16, 21, 24, 38, 40, 1<<16 | 21, 0x11, unix.CLONE_NEWNS, unix.CLONE_NEWUSER | unix.CLONE_NEWPID, unix.CLONE_NEWTIME, 1<<31 - 1, 1<<32 - 1, 1<<64 - 1}
	someArches = []specs.Arch{specs.ArchX86_64, specs.ArchX86_64, specs.ArchX86, specs.ArchX32}
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func randomRecording(r *rand.Rand) *recording.Recording {
	out := &recording.Recording{Batten: recording.Version, Machine: "x86_64"}
	arches := someArches[:1+r.IntN(len(someArches))]
	for range 1 + r.IntN(3) {
		c := recording.Container{Start: true}
		made := make(map[specs.Arch]map[string]bool)
		for range 1 + r.IntN(30) {
			arch, name := pick(r, arches), pick(r, someNames)
			if arch != specs.ArchX32 && r.IntN(3) == 0 { // libseccomp lacks some of x32's
				name = pick(r, syscalls.Table[:]).Name
			}
			nr, ok := syscalls.Number(arch, name)
			if !ok || made[arch][name] || syscalls.CallAt(arch, nr) != name {
				continue
			}
			if made[arch] == nil {
				made[arch] = make(map[string]bool)
			}
			made[arch][name] = true
			call := recording.Call{Arch: arch, Nr: nr, Name: name, First: recording.First{Program: "p"}}
			if slices.Contains(someNames, name) && r.IntN(5) > 0 {
				call.Arguments = randomArguments(r, arch)
			}
			if name == "socketcall" || name == "ipc" {
				call.Arguments = slices.DeleteFunc(call.Arguments, func(a recording.Argument) bool { return a.Index > 0 })
			}
			c.Calls = append(c.Calls, call)
		}
		if len(c.Calls) == 0 {
			c.Calls = []recording.Call{{Arch: specs.ArchX86_64, Nr: 0, Name: "read"}}
		}
		out.Containers = append(out.Containers, c)
	}
	return out
}

func randomArguments(r *rand.Rand, arch specs.Arch) (out []recording.Argument) {
	count := 1 + r.IntN(4)
	if r.IntN(12) == 0 {
		count = 70 // more than there may be rules
	}
	for index := range 1 + uint(r.IntN(8)/7) {
		for i := range count {
			value := pick(r, someValues)
			if count > 4 {
				value = uint64(1000 + i)
			}
			if arch == specs.ArchX86 {
				value &= 1<<32 - 1
			}
			out = append(out, recording.Argument{Index: index, Value: value})
		}
	}
	return out
}
