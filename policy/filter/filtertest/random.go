package filtertest

import (
	"math/rand/v2"
	"runtime"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The generator knows the traps: values at the bounds of 32 and 64 bits, equal
// conditions by different operators, conditions that hide one another, two on
// one argument, arches in one profile only, errnos that differ or are too large,
// names that few architectures have, that no libseccomp knows, or that i386
// multiplexes.

var (
	// Names are the syscalls that Profile names.
	Names = []string{
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

// Pick is one of them.
func Pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func maybeErrno(r *rand.Rand) *uint {
	if r.IntN(3) > 0 {
		return nil
	}
	v := Pick(r, errnos)
	return &v
}

// Profile is a random one, which may not be one that a runtime takes.
func Profile(r *rand.Rand) specs.LinuxSeccomp { return ProfileOf(r, Names) }

// ProfileOf is one that names only some syscalls.
func ProfileOf(r *rand.Rand, names []string) specs.LinuxSeccomp {
	s := specs.LinuxSeccomp{DefaultAction: Pick(r, defaults), DefaultErrnoRet: maybeErrno(r)}
	for _, arch := range semantics.MachineArches(runtime.GOARCH) {
		if r.IntN(4) > 0 {
			s.Architectures = append(s.Architectures, arch)
		}
	}
	for range r.IntN(8) {
		rule := specs.LinuxSyscall{Action: Pick(r, actions), ErrnoRet: maybeErrno(r), Names: []string{Pick(r, names)}}
		if r.IntN(2) == 0 {
			for range r.IntN(6) {
				rule.Names = append(rule.Names, Pick(r, names))
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
		a := specs.LinuxSeccompArg{Index: uint(index), Op: Pick(r, operators), Value: Pick(r, values)}
		if a.Op == specs.OpMaskedEqual {
			if a.ValueTwo = Pick(r, values); r.IntN(4) > 0 {
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

// Mutant is a copy of s in which one thing is changed.
func Mutant(r *rand.Rand, s specs.LinuxSeccomp) specs.LinuxSeccomp {
	s.Syscalls = slices.Clone(s.Syscalls)
	if len(s.Syscalls) == 0 || r.IntN(8) == 0 {
		s.DefaultAction = Pick(r, defaults)
		return s
	}
	if r.IntN(8) == 0 && len(s.Architectures) > 0 {
		s.Architectures = s.Architectures[1:]
		return s
	}
	i := r.IntN(len(s.Syscalls))
	rule := s.Syscalls[i]
	rule.Args = slices.Clone(rule.Args)
	switch {
	case r.IntN(3) == 0:
		rule.Action = Pick(r, actions)
	case r.IntN(3) == 0:
		rule.ErrnoRet = maybeErrno(r)
	case len(rule.Args) > 0:
		a := &rule.Args[r.IntN(len(rule.Args))]
		switch r.IntN(3) {
		case 0:
			a.Op = Pick(r, operators)
		case 1:
			a.Value ^= 1 << r.IntN(64)
		default:
			a.Index = uint(r.IntN(6))
		}
	default:
		rule.Names = []string{Pick(r, Names)}
	}
	s.Syscalls[i] = rule
	return s
}

// Value is an argument at the bounds of those that profiles compare with.
func Value(r *rand.Rand) uint64 {
	if r.IntN(4) == 0 {
		return Pick(r, wideValues)
	}
	return Pick(r, narrowValues)
}

// MayNotReturn reports whether libseccomp might not come back from s: see
// policy/profile/entangled.go.
func MayNotReturn(s specs.LinuxSeccomp) bool {
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
