package semantics_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Where nothing is found, or what is found was mended, the compiled filter treats no
// call more loosely for bits that the kernel does not read, and calls without such bits
// as before: random rules on the two ints of listen(2), at the bounds of their
// conditions.
func TestHighBitsOfRandomRules(t *testing.T) {
	ops := []specs.LinuxSeccompOperator{
		specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo,
		specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual,
	}
	values := []uint64{0, 1, 5, 40, 0xffffffff, 1 << 32, 1<<32 | 5, ^uint64(0)}
	samples := []uint64{0, 1, 2, 4, 5, 6, 39, 40, 41, 0x7fffffff}
	highs := []uint64{0, 1 << 32, 1 << 40, 0xffffffff << 32}
	found, mended, none := 0, 0, 0
	for seed := range 2000 {
		r := rand.New(rand.NewPCG(uint64(seed), 8))
		s := specs.LinuxSeccomp{DefaultAction: filtertest.Pick(r, []specs.LinuxSeccompAction{specs.ActAllow, specs.ActErrno})}
		for range 1 + r.IntN(2) {
			rule := specs.LinuxSyscall{Names: []string{"listen"}, Action: filtertest.Pick(r, []specs.LinuxSeccompAction{specs.ActAllow, specs.ActErrno, specs.ActTrap})}
			for index := range uint(2) {
				if r.IntN(3) > 0 {
					rule.Args = append(rule.Args, arg{Index: index, Op: filtertest.Pick(r, ops), Value: filtertest.Pick(r, values), ValueTwo: filtertest.Pick(r, values)})
				}
			}
			s.Syscalls = append(s.Syscalls, rule)
		}
		if filtertest.MayNotReturn(s) {
			continue
		}
		highBits, err := semantics.PassedByHighBits(&s)
		p, compileErr := filter.Compile(&s)
		if err != nil || compileErr != nil {
			continue
		}
		if _, notes, err := floor.Floor(s, s, floor.Limits{}); err != nil || len(notes) > 0 {
			continue // no one meaning
		}
		judged := s
		if len(highBits) > 0 {
			found++
			if judged, compileErr = masked(s, highBits); compileErr != nil {
				continue
			}
			if _, notes, err := floor.Floor(judged, judged, floor.Limits{}); err != nil || len(notes) > 0 {
				continue // it now overlaps with a rule on values that no program passes, and lint says so
			}
			mended++
		} else {
			none++
		}
		after, err := filter.Compile(&judged)
		if err != nil {
			continue
		}
		ask := func(p *filter.Program, a, b uint64) int {
			result, err := p.Run(filter.Call{Arch: unix.AUDIT_ARCH_X86_64, Nr: unix.SYS_LISTEN, Args: [6]uint64{a, b}})
			if err != nil {
				t.Fatal(err)
			}
			return slices.Index([]string{"TRAP", "ERRNO(EPERM)", "ALLOW"}, result.String())
		}
		for _, a := range samples {
			for _, b := range samples {
				want := ask(p, a, b)
				if got := ask(after, a, b); got != want {
					t.Fatalf("seed %d: mended, listen(%#x, %#x) is %d and was %d: %s, then %s", seed, a, b, got, want, string(profile.Encode(s)), string(profile.Encode(judged)))
				}
				for _, x := range highs {
					for _, y := range highs {
						if got := ask(after, a|x, b|y); got > want {
							t.Fatalf("seed %d: listen(%#x, %#x) is %d, and (%#x, %#x) is %d: %s", seed, a, b, want, a|x, b|y, got, string(profile.Encode(judged)))
						}
					}
				}
			}
		}
	}
	t.Logf("%d profiles with findings, %d of them mended, %d without", found, mended, none)
	if found < 50 || mended < 50 || none < 50 {
		t.Errorf("%d profiles with findings, %d mended, %d without: the test shows little", found, mended, none)
	}
}

// masked writes each rule once for each of the conditions in Instead.
func masked(s specs.LinuxSeccomp, found []semantics.HighBits) (specs.LinuxSeccomp, error) {
	out := s
	out.Syscalls = nil
	for i, rule := range s.Syscalls {
		rules := []specs.LinuxSyscall{rule}
		for _, h := range found {
			if h.Rule != i {
				continue
			}
			if len(h.Instead) == 0 || len(rules)*len(h.Instead) > 128 {
				return s, errors.New("there is no masked form")
			}
			var next []specs.LinuxSyscall
			for _, r := range rules {
				for _, c := range h.Instead {
					r.Args = slices.Clone(r.Args)
					r.Args[h.Arg] = c
					next = append(next, r)
				}
			}
			rules = next
		}
		out.Syscalls = append(out.Syscalls, rules...)
	}
	return out, nil
}
