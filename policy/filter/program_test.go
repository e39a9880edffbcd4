package filter

import (
	"testing"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// TestUnknownCode: a filter with an instruction that is not understood is not judged.
func TestUnknownCode(t *testing.T) {
	allow := bpf.Instruction{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
	load := bpf.Instruction{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}
	unknown := bpf.Instruction{Code: unix.BPF_MISC | unix.BPF_TXA}
	for _, tt := range []struct {
		name, want string
		code       []bpf.Instruction
	}{
		{name: "understood", code: []bpf.Instruction{load, allow}},
		{
			name: "unknown", code: []bpf.Instruction{load, unknown, allow},
			want: "instruction 1 has code 0x87, which libseccomp and runc do not write; such a filter is not judged",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if _, err := (&Program{Instructions: tt.code}).Run(Call{}); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
