package bpf_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

func Example() {
	program, err := bpf.Check([]bpf.Instruction{
		{Code: bpf.Load, K: bpf.OffsetNr},
		{Code: bpf.IfEqual, K: unix.SYS_KEYCTL, Jf: 1},
		{Code: bpf.Return, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: bpf.Return, K: unix.SECCOMP_RET_ALLOW},
	})
	fmt.Println(err)
	fmt.Printf("%#x\n", program.Run(bpf.Call{Arch: unix.AUDIT_ARCH_X86_64, Nr: unix.SYS_KEYCTL}))
	fmt.Printf("%#x\n", program.Run(bpf.Call{Arch: unix.AUDIT_ARCH_X86_64, Nr: unix.SYS_READ}))
	// Output:
	// <nil>
	// 0x50001
	// 0x7fff0000
}

// Each code does what the kernel does. policy/filter's tests compare whole filters with
// the kernel, and with a second way to read a program.
func TestRun(t *testing.T) {
	call := bpf.Call{
		Arch: unix.AUDIT_ARCH_I386, Nr: 7, IP: 0x1122334455667788,
		Args: [6]uint64{0xaabbccdd00000003, 1, 2, 3, 4, 0xfedcba9876543210},
	}
	for _, tt := range []struct {
		name      string
		load, and uint32
		jump      bpf.Instruction
		want      bool // the condition holds
	}{
		{name: "the number", load: 0, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfEqual, K: 7}, want: true},
		{name: "the arch", load: 4, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfEqual, K: unix.AUDIT_ARCH_I386}, want: true},
		{name: "the instruction pointer, low", load: 8, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfEqual, K: 0x55667788}, want: true},
		{name: "the instruction pointer, high", load: 12, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfEqual, K: 0x11223344}, want: true},
		{name: "the first argument, low", load: 16, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfEqual, K: 3}, want: true},
		{name: "the first argument, high", load: 20, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfEqual, K: 0xaabbccdd}, want: true},
		{name: "the last argument, high", load: 60, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfEqual, K: 0xfedcba98}, want: true},
		{name: "masked", load: 16, and: 2, jump: bpf.Instruction{Code: bpf.IfEqual, K: 2}, want: true},
		{name: "not equal", load: 0, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfEqual, K: 8}},
		{name: "greater", load: 0, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfGreater, K: 6}, want: true},
		{name: "not greater", load: 0, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfGreater, K: 7}},
		{name: "at least", load: 0, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfAtLeast, K: 7}, want: true},
		{name: "not at least", load: 0, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfAtLeast, K: 8}},
		{name: "without sign", load: 20, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfGreater, K: 1}, want: true},
		{name: "one bit of some", load: 0, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfBits, K: 12}, want: true},
		{name: "no bit", load: 0, and: ^uint32(0), jump: bpf.Instruction{Code: bpf.IfBits, K: 8}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.jump.Jt, tt.jump.Jf = 1, 2
			program, err := bpf.Check([]bpf.Instruction{
				{Code: bpf.Load, K: tt.load},
				{Code: bpf.And, K: tt.and},
				{Code: bpf.Jump, K: 1},
				{Code: bpf.Return, K: unix.SECCOMP_RET_LOG},
				tt.jump,
				{Code: bpf.Return, K: unix.SECCOMP_RET_LOG},
				{Code: bpf.Return, K: unix.SECCOMP_RET_ALLOW},
				{Code: bpf.Return, K: unix.SECCOMP_RET_TRAP},
			})
			if err != nil {
				t.Fatal(err)
			}
			want := uint32(unix.SECCOMP_RET_TRAP)
			if tt.want {
				want = unix.SECCOMP_RET_ALLOW
			}
			if got := program.Run(call); got != want {
				t.Errorf("got %#x, want %#x", got, want)
			}
		})
	}
}

// SetWord changes the word that Word returns, and no other.
func TestWords(t *testing.T) {
	for offset := uint32(0); offset < 64; offset += 4 {
		var c bpf.Call
		c.SetWord(offset, 0x89abcdef)
		for other := uint32(0); other < 64; other += 4 {
			want := uint32(0)
			if other == offset {
				want = 0x89abcdef
			}
			if got := c.Word(other); got != want {
				t.Errorf("word %d set: word %d is %#x, want %#x", offset, other, got, want)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []bpf.Instruction
		want string
	}{
		{name: "nothing", in: nil, want: "the filter has no instructions"},
		{name: "an answer", in: []bpf.Instruction{{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ALLOW}}},
		{name: "no answer", in: []bpf.Instruction{{Code: unix.BPF_LD | unix.BPF_ABS}}, want: "instruction 0 leads past the end"},
		{name: "a load past the data", in: []bpf.Instruction{{Code: unix.BPF_LD | unix.BPF_ABS, K: 64}}, want: "instruction 0 loads from offset 64, outside struct seccomp_data"},
		{name: "a load across words", in: []bpf.Instruction{{Code: unix.BPF_LD | unix.BPF_ABS, K: 2}}, want: "instruction 0 loads from offset 2, outside struct seccomp_data"},
		{name: "a jump past the end", in: []bpf.Instruction{{Code: unix.BPF_JMP, K: 1}, {Code: unix.BPF_RET}}, want: "instruction 0 leads past the end"},
		{name: "a jump back", in: []bpf.Instruction{{Code: unix.BPF_JMP, K: 1<<32 - 1}, {Code: unix.BPF_RET}}, want: "instruction 0 jumps past the end"},
		{name: "a branch past the end", in: []bpf.Instruction{{Code: unix.BPF_JMP | unix.BPF_JEQ, Jt: 1}, {Code: unix.BPF_RET}}, want: "instruction 0 leads past the end"},
		{name: "a store", in: []bpf.Instruction{{Code: unix.BPF_ST}, {Code: unix.BPF_RET}}, want: "instruction 0 has the code 0x2, which neither libseccomp nor runc writes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if _, err := bpf.Check(tt.in); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := (bpf.Program{}).Run(bpf.Call{}); got != unix.SECCOMP_RET_KILL_PROCESS {
		t.Errorf("the zero Program says %#x", got)
	}
	var unknown *bpf.UnknownCode
	if _, err := bpf.Check([]bpf.Instruction{{Code: unix.BPF_ST}}); !errors.As(err, &unknown) || unknown.Code != unix.BPF_ST {
		t.Errorf("got %v, want an UnknownCode", err)
	}
}

// FuzzRun: a run of what Check takes ends, with the value of one of its instructions.
func FuzzRun(f *testing.F) {
	f.Add([]byte{
		0x20, 0, 0, 0, 4, 0, 0, 0, 0x15, 0, 1, 0, 0x3e, 0, 0, 0xc0,
		6, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0xff, 0x7f,
	}, uint32(1), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, nr uint32, arg uint64) {
		var in []bpf.Instruction
		returns := make(map[uint32]bool)
		for ; len(data) >= 8; data = data[8:] {
			next := bpf.Instruction{
				Code: binary.LittleEndian.Uint16(data), Jt: data[2], Jf: data[3],
				K: binary.LittleEndian.Uint32(data[4:]),
			}
			in = append(in, next)
			returns[next.K] = returns[next.K] || next.Code == bpf.Return
		}
		program, err := bpf.Check(in)
		if err != nil {
			return
		}
		call := bpf.Call{Arch: unix.AUDIT_ARCH_X86_64, Nr: nr, Args: [6]uint64{arg, ^arg, arg >> 3}}
		if got := program.Run(call); !returns[got] {
			t.Fatalf("%+v: %#x, which no instruction returns", call, got)
		}
	})
}
