package filter_test

import (
	"math/rand/v2"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// sample are calls at the bounds of what the generator writes.
func sample(r *rand.Rand) filter.Call {
	c := filter.Call{Arch: filtertest.Pick(r, []uint32{unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386}), Nr: uint32(r.IntN(460))}
	if r.IntN(4) == 0 {
		c.Nr = filtertest.Pick(r, []uint32{0, 13, 16, 30, 39, 41, 42, 56, 65, 102, 117, 135, 165, 250, 321, 444, 447, 449, 451})
	}
	if c.Arch == unix.AUDIT_ARCH_X86_64 && r.IntN(3) == 0 {
		c.Nr |= 1 << 30
	}
	for i := range c.Args {
		c.Args[i] = filtertest.Value(r) + uint64(r.IntN(3)) - 1
	}
	return c
}

// The prover sees a change exactly where running the programs can: what it
// calls equal no call tells apart, and its witness does tell them apart.
func TestMutants(t *testing.T) {
	const mutants = 1000
	equal, differ := 0, 0
	for i := uint64(0); equal+differ < mutants; i++ {
		r := rand.New(rand.NewPCG(99, i))
		s := filtertest.Profile(r)
		m := filtertest.Mutant(r, s)
		if filtertest.MayNotReturn(s) || filtertest.MayNotReturn(m) {
			continue
		}
		a, err := filter.Compile(&s)
		if err != nil {
			continue
		}
		b, err := filter.Compile(&m)
		if err != nil {
			continue
		}
		w, err := filter.Equal(filter.Stack{a}, filter.Stack{b})
		if err != nil {
			t.Fatal(err)
		}
		if w != nil {
			differ++
			x, _ := a.Run(w.Call)
			y, _ := b.Run(w.Call)
			if x == y || x != w.First || y != w.Second {
				t.Errorf("mutant %d: the witness %s is none: %s, %s", i, w, x, y)
			}
			continue
		}
		equal++
		for range 3000 {
			c := sample(r)
			x, _ := a.Run(c)
			if y, _ := b.Run(c); x != y {
				t.Fatalf("mutant %d: called equal, but %+v is %s and %s\n%s\n%s", i, c, x, y, profile.Encode(s), profile.Encode(m))
			}
		}
	}
	t.Logf("%d mutants differ, %d are equal to what they were made from", differ, equal)
	if differ < mutants/2 {
		t.Error("the mutation changes too little")
	}
}

// A filter is judged by what it does: the first three differ in form alone.
func TestEqual(t *testing.T) {
	arg := func(op specs.LinuxSeccompOperator, value, two uint64) []specs.LinuxSeccompArg {
		return []specs.LinuxSeccompArg{{Index: 0, Op: op, Value: value, ValueTwo: two}}
	}
	compiled := func(args ...[]specs.LinuxSeccompArg) filter.Stack {
		s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
		for _, a := range args {
			s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: []string{"keyctl"}, Action: specs.ActErrno, Args: a})
		}
		p, err := filter.Compile(&s)
		if err != nil {
			t.Fatal(err)
		}
		return filter.Stack{p}
	}
	below4 := compiled(arg(specs.OpLessThan, 4, 0))
	for name, same := range map[string]filter.Stack{
		"<=": compiled(arg(specs.OpLessEqual, 3, 0)), "mask": compiled(arg(specs.OpMaskedEqual, ^uint64(3), 0)),
		"two":                   compiled(arg(specs.OpMaskedEqual, ^uint64(1), 0), arg(specs.OpMaskedEqual, ^uint64(1), 2)),
		"bits outside the mask": compiled(arg(specs.OpMaskedEqual, ^uint64(3), 1)),
		"twice":                 append(compiled(arg(specs.OpLessThan, 2, 0)), below4...),
	} {
		if w, err := filter.Equal(below4, same); w != nil || err != nil {
			t.Errorf("%s: %v (%v)", name, w, err)
		}
	}
	w, err := filter.Equal(below4, compiled(arg(specs.OpMaskedEqual, 0xfffffffc, 0)))
	if err != nil || w == nil || w.Call.Args[0]>>32 == 0 {
		t.Errorf("a mask of 32 bits is found equal to one of 64: %v (%v)", w, err)
	}
	if w, err := filter.Subsumes(below4, compiled(arg(specs.OpLessThan, 5, 0))); w != nil || err != nil {
		t.Errorf("< 5 denied is looser than < 4 denied: %v (%v)", w, err)
	}
	w, err = filter.Subsumes(compiled(arg(specs.OpLessThan, 5, 0)), below4)
	if err != nil || w == nil || w.String() != "keyctl(0x4) on amd64: ERRNO(EPERM) against ALLOW" {
		t.Errorf("got %v (%v)", w, err)
	}
}
