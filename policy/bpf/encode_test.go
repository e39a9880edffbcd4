package bpf_test

import (
	"bytes"
	"testing"
	"unsafe"

	"github.com/batten-runtime/batten/policy/bpf"
)

// What is encoded is what memory holds of the same instructions.
func TestEncode(t *testing.T) {
	code := []bpf.Instruction{{Code: bpf.Load, K: 4}, {Code: bpf.IfEqual, Jt: 1, Jf: 2, K: 0xc000003e}, {Code: bpf.Return, K: 0x7fff0000}}
	held := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(code))), len(code)*int(unsafe.Sizeof(code[0])))
	if got := bpf.Encode(code); !bytes.Equal(got, held) {
		t.Errorf("got %x, want %x", got, held)
	}
}
