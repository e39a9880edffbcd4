package filter

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/batten-runtime/batten/policy/bpf"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// encodeProgram is a program as the fuzzer mutates it.
func encodeProgram(p []unix.SockFilter) (out []byte) {
	for _, in := range p {
		out = binary.LittleEndian.AppendUint16(out, in.Code)
		out = append(out, in.Jt, in.Jf)
		out = binary.LittleEndian.AppendUint32(out, in.K)
	}
	return out
}

func decodeProgram(data []byte) (out []unix.SockFilter) {
	for ; len(data) >= 8 && len(out) < MaxInstructions; data = data[8:] {
		out = append(out, unix.SockFilter{
			Code: binary.LittleEndian.Uint16(data), Jt: data[2], Jf: data[3], K: binary.LittleEndian.Uint32(data[4:]),
		})
	}
	return out
}

// FuzzProgram holds the walk, which proofs are made by, to the plain
// interpreter, call by call: two ways to read one program.
func FuzzProgram(f *testing.F) {
	for _, s := range []*specs.LinuxSeccomp{
		{DefaultAction: specs.ActErrno, Syscalls: []specs.LinuxSyscall{{Names: []string{"read", "openat2"}, Action: specs.ActAllow}}},
		{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86}, Syscalls: []specs.LinuxSyscall{{
			Names: []string{"clone"}, Action: specs.ActErrno,
			Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpMaskedEqual, Value: 1 << 40, ValueTwo: 1 << 40}, {Index: 3, Op: specs.OpGreaterThan, Value: 7}},
		}}},
	} {
		p, err := Compile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encodeProgram(p.Instructions), uint64(1))
	}
	f.Add(encodeProgram([]unix.SockFilter{{Code: bpf.Load, K: 16}, {Code: bpf.And, K: 6}, {Code: bpf.IfBits, Jt: 0, Jf: 1, K: 2}, {Code: bpf.Return}, {Code: bpf.Return, K: unix.SECCOMP_RET_ALLOW}}), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		p := &Program{Instructions: decodeProgram(data)}
		if len(p.Instructions) > 256 {
			return // the walk is of more than one call: keep it quick
		}
		table, err := tabulate(Stack{p})
		if err != nil {
			return
		}
		r := rand.New(rand.NewPCG(seed, 8))
		for _, c := range table.cells {
			for range 4 {
				call := Call{Arch: c.arch, Nr: c.nr + uint32(r.Uint64N(uint64(c.last-c.nr)+1)), IP: r.Uint64(), Args: [6]uint64{
					interesting(r, p), interesting(r, p), interesting(r, p), interesting(r, p), interesting(r, p), interesting(r, p),
				}}
				plain, err := p.Run(call)
				if err != nil {
					t.Fatal(err)
				}
				if walked := table.at(c.values[0], call); walked != plain {
					t.Fatalf("%+v: the walk says %v, the interpreter %v\n%v", call, walked, plain, p.Instructions)
				}
			}
		}
	})
}

// interesting is a value near one that the program compares with.
func interesting(r *rand.Rand, p *Program) uint64 {
	k := func() uint64 {
		return uint64(p.Instructions[r.IntN(len(p.Instructions))].K) + r.Uint64N(3) - 1
	}
	return k()&0xffffffff | k()<<32
}
