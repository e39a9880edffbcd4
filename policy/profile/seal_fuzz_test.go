package profile_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// split returns a profile whose strings and numbers in their order are those of s,
// cut in other places.
func split(r *rand.Rand, s specs.LinuxSeccomp) specs.LinuxSeccomp {
	s.Syscalls = slices.Clone(s.Syscalls)
	for i := range s.Syscalls {
		rule := &s.Syscalls[i]
		rule.Names = slices.Clone(rule.Names)
		switch at := r.IntN(len(rule.Names)); r.IntN(4) {
		case 0: // a name in two
			name := rule.Names[at]
			cut := r.IntN(len(name) + 1)
			rule.Names = slices.Replace(rule.Names, at, at+1, name[:cut], name[cut:])
		case 1: // two in one
			if at > 0 {
				rule.Names = slices.Replace(rule.Names, at-1, at+1, rule.Names[at-1]+rule.Names[at])
			}
		case 2: // what is no part of the key
			errno := uint(r.IntN(200))
			rule.ErrnoRet = &errno
		default: // the next rule's strings
			if i+1 < len(s.Syscalls) && len(rule.Args) == 0 {
				next := &s.Syscalls[i+1]
				rule.Names = append(append(rule.Names, string(next.Action)), next.Names...)
				rule.Args = next.Args
				s.Syscalls = slices.Delete(s.Syscalls, i+1, i+2)
				return s
			}
		}
	}
	return s
}

// forge returns b with names that make it end as a does, sealed.
func forge(r *rand.Rand, a, b specs.LinuxSeccomp) specs.LinuxSeccomp {
	sealed := profile.Seal(a)
	seal := sealed.Syscalls[len(sealed.Syscalls)-1]
	b.Syscalls = append(slices.Clone(b.Syscalls), specs.LinuxSyscall{Action: specs.ActLog})
	switch r.IntN(3) {
	case 0:
		b.Syscalls = append(b.Syscalls, seal)
	case 1:
		last := &b.Syscalls[len(b.Syscalls)-1]
		last.Names = append(slices.Clone(last.Names), string(seal.Action)+seal.Names[0])
	default:
		last := &b.Syscalls[len(b.Syscalls)-1]
		last.Names = append(slices.Clone(last.Names), string(seal.Action), seal.Names[0]+"\x00"+"rest")
	}
	return b
}

// FuzzSeal: no two profiles have one key after Seal, however their names are cut.
func FuzzSeal(f *testing.F) {
	f.Add("keyctl", "bpf", "SCMP_ACT_ERRNO", uint(1), uint64(3))
	f.Add("keyctlbpf", "", "SCMP_ACT_ALLOW", uint(38), uint64(0))
	f.Fuzz(func(t *testing.T, one, two, action string, errno uint, value uint64) {
		rule := func(names ...string) specs.LinuxSyscall {
			return specs.LinuxSyscall{Names: names, Action: specs.ActErrno, ErrnoRet: &errno}
		}
		with := func(rules ...specs.LinuxSyscall) specs.LinuxSeccomp {
			return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: rules}
		}
		conditional := rule(two)
		conditional.Args = []specs.LinuxSeccompArg{{Value: value, Op: specs.LinuxSeccompOperator(action)}}
		profiles := []specs.LinuxSeccomp{
			with(rule(one, two)), with(rule(one + two)), with(rule(one), rule(two)), with(rule(one), conditional),
			with(rule(one + action + two)), with(rule(one, action), rule(two)),
			{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.Arch(one)}, Syscalls: []specs.LinuxSyscall{rule(two)}},
			{DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{specs.LinuxSeccompFlag(one)}, Syscalls: []specs.LinuxSyscall{rule(two)}},
		}
		of := make(map[string]string) // the profile of each key
		for _, p := range profiles {
			data := profile.Encode(profile.Seal(p))
			key := string(crunKey(data))
			if other, taken := of[key]; taken && other != string(data) {
				t.Errorf("one key for\n%s\nand\n%s", data, other)
			}
			of[key] = string(data)
		}
	})
}
