package floor_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// fuzzed reads a profile out of bytes, nothing of which is refused for its form.
func fuzzed(data *[]byte) specs.LinuxSeccomp {
	next := func() byte {
		if len(*data) == 0 {
			return 0
		}
		b := (*data)[0]
		*data = (*data)[1:]
		return b
	}
	word := func() uint64 {
		var b [8]byte
		for i := range next() % 9 {
			b[i] = next()
		}
		return binary.LittleEndian.Uint64(b[:])
	}
	actions := []specs.LinuxSeccompAction{specs.ActAllow, specs.ActErrno, specs.ActKillProcess, specs.ActLog}
	ops := []specs.LinuxSeccompOperator{
		specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo,
		specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual,
	}
	s := specs.LinuxSeccomp{DefaultAction: actions[next()%4], Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}}
	for range next() % 24 {
		rule := specs.LinuxSyscall{Action: actions[next()%4]}
		for range next() % 8 {
			rule.Names = append(rule.Names, filtertest.Names[int(next())%len(filtertest.Names)])
		}
		for range next() % 8 {
			rule.Args = append(rule.Args, specs.LinuxSeccompArg{Index: uint(next() % 6), Op: ops[next()%7], Value: word(), ValueTwo: word()})
		}
		for range 1 + next()%16 { // the same rule again, with other values
			again := rule
			again.Args = slices.Clone(rule.Args)
			for i := range again.Args {
				again.Args[i].Value += uint64(len(s.Syscalls)) << (next() % 64)
			}
			s.Syscalls = append(s.Syscalls, again)
		}
	}
	return s
}

// FuzzFloorWork: whatever the two profiles, Floor ends within its steps or
// refuses, and what it returns keeps its limits.
func FuzzFloorWork(f *testing.F) {
	f.Add([]byte{1, 40, 1, 3, 1, 2, 3, 6, 0, 6, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 1, 8, 9, 9, 9, 9, 9, 9, 9, 9, 31})
	f.Add([]byte(strings.Repeat("\x01\x3f\x01\x05\x02\x07\x06\x00\x05\x08", 40)))
	f.Fuzz(func(t *testing.T, data []byte) {
		under := fuzzed(&data)
		out, _, err := floor.Floor(under, fuzzed(&data), floor.Limits{})
		if err != nil {
			return
		}
		if out.Steps > semantics.MaxWork {
			t.Fatalf("%d steps", out.Steps)
		}
		if err := semantics.CheckSize(&out.Seccomp); err != nil {
			t.Fatalf("the result: %v", err)
		}
	})
}
