package filter

import (
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// crossed is a filter with rules that each want one bit of the first argument
// and the same bit of the last: its diagram doubles with each.
func crossed(t *testing.T, bits int) Stack {
	t.Helper()
	s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	for bit := range bits {
		one := uint64(1) << bit
		s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: []string{"mmap"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{
			{Index: 0, Op: specs.OpMaskedEqual, Value: one, ValueTwo: one},
			{Index: 5, Op: specs.OpMaskedEqual, Value: one, ValueTwo: one},
		}})
	}
	p, err := Compile(&s)
	if err != nil {
		t.Fatal(err)
	}
	return Stack{p}
}

func TestStepsAreLimited(t *testing.T) {
	few, many := crossed(t, 6), crossed(t, 24)
	if w, err := Subsumes(few, few); w != nil || err != nil {
		t.Errorf("a few rules: %v %v", w, err)
	}
	const want = "the conditions of the filters take more than the 500000 steps that Batten spends on comparing them; give rules fewer conditions"
	for name, compare := range map[string]func() error{
		"Subsumes":   func() error { _, err := Subsumes(few, many); return err },
		"Equal":      func() error { _, err := Equal(few, many); return err },
		"Diff":       func() error { _, err := Diff(few, many); return err },
		"Deviations": func() error { _, err := Deviations(few, few, many); return err },
	} {
		if err := compare(); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// The engines' defaults take far fewer.
func TestSteps(t *testing.T) {
	var stacks []Stack
	for _, caps := range [][]string{nil, {"CAP_SYS_ADMIN"}} {
		s := profile.RuntimeDefault(caps)
		p, err := Compile(&s)
		if err != nil {
			t.Fatal(err)
		}
		stacks = append(stacks, Stack{p})
	}
	table, err := tabulate(stacks...)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []uint8{opMeet, opLooser, opDiffer} {
		for _, c := range table.cells {
			table.apply(op, c.values[0], c.values[1])
		}
	}
	took := maxSteps - table.left
	t.Logf("%d of %d steps", took, maxSteps)
	if took > maxSteps/20 {
		t.Errorf("%d steps are more than a twentieth of %d", took, maxSteps)
	}
}
