package filter_test

import (
	"math/rand/v2"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The generator knows the traps: values at the bounds of 32 and 64 bits, equal
// conditions by different operators, conditions that hide one another, two on
// one argument, arches in one profile only, errnos that differ or are too large,
// names that few architectures have, that no libseccomp knows, or that i386
// multiplexes.

var (
	randomNames = []string{
		"keyctl", "clone", "socket", "connect", "socketcall", "ipc", "semop", "shmat", "personality",
		"read", "ioctl", "mount", "bpf", "rt_sigaction", "getpid", "umount", "futex_waitv",
		"memfd_secret", "landlock_create_ruleset", "cachestat", "nosuchcall",
	}
	narrowValues = []uint64{0, 1, 2, 5, 7, 8, 16, 38, 40, 0x7e020000, 0x10000000, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	wideValues   = []uint64{1 << 32, 1<<32 + 5, 1<<32 - 1, 1 << 63, 1<<64 - 1, 1<<63 + 7, 5<<32 + 7, 5 << 32}
	operators    = []specs.LinuxSeccompOperator{
		specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo,
		specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual,
	}
	actions = []specs.LinuxSeccompAction{
		specs.ActAllow, specs.ActAllow, specs.ActAllow, specs.ActErrno, specs.ActErrno, specs.ActErrno,
		specs.ActKill, specs.ActKillProcess, specs.ActTrap, specs.ActLog, specs.ActTrace,
	}
	defaults = []specs.LinuxSeccompAction{
		specs.ActErrno, specs.ActErrno, specs.ActErrno, specs.ActAllow, specs.ActKillProcess, specs.ActLog, specs.ActTrap,
	}
	errnos = []uint{1, 13, 38, 0, 4095, 5000, 70000}
)

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func maybeErrno(r *rand.Rand) *uint {
	if r.IntN(3) > 0 {
		return nil
	}
	v := pick(r, errnos)
	return &v
}

func randomProfile(r *rand.Rand) specs.LinuxSeccomp {
	s := specs.LinuxSeccomp{DefaultAction: pick(r, defaults), DefaultErrnoRet: maybeErrno(r)}
	for _, arch := range []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32} {
		if r.IntN(4) > 0 {
			s.Architectures = append(s.Architectures, arch)
		}
	}
	for range r.IntN(8) {
		rule := specs.LinuxSyscall{Action: pick(r, actions), ErrnoRet: maybeErrno(r), Names: []string{pick(r, randomNames)}}
		if r.IntN(2) == 0 {
			for range r.IntN(6) {
				rule.Names = append(rule.Names, pick(r, randomNames))
			}
		} else {
			rule.Args = randomArgs(r)
		}
		s.Syscalls = append(s.Syscalls, rule)
	}
	return s
}

func randomArgs(r *rand.Rand) (args []specs.LinuxSeccompArg) {
	for _, index := range r.Perm(4)[:1+r.IntN(3)] {
		values := narrowValues
		if r.IntN(6) == 0 {
			values = wideValues
		}
		a := specs.LinuxSeccompArg{Index: uint(index), Op: pick(r, operators), Value: pick(r, values)}
		if a.Op == specs.OpMaskedEqual {
			if a.ValueTwo = pick(r, values); r.IntN(4) > 0 {
				a.ValueTwo &= a.Value
			}
		}
		args = append(args, a)
	}
	if r.IntN(12) == 0 {
		again := args[0]
		again.Op = specs.OpEqualTo
		args = append(args, again)
	}
	return args
}

// mayNotReturn reports whether libseccomp might not come back from s: see
// policy/profile/entangled.go.
func mayNotReturn(s specs.LinuxSeccomp) bool {
	conditional, goesOn := map[string]int{}, map[string]bool{}
	for _, rule := range s.Syscalls {
		for _, name := range rule.Names {
			if len(rule.Args) == 0 {
				continue
			}
			conditional[name]++
			last := slices.MaxFunc(rule.Args, func(a, b specs.LinuxSeccompArg) int { return int(a.Index) - int(b.Index) }).Index
			for _, a := range rule.Args {
				goesOn[name] = goesOn[name] || a.Index != last && a.Op != specs.OpEqualTo && a.Op != specs.OpMaskedEqual
			}
		}
	}
	for name, n := range conditional {
		if n > 1 && goesOn[name] {
			return true
		}
	}
	return false
}
