package bpf

import "encoding/binary"

// Encode returns instructions as the kernel reads them: struct sock_filter of linux/filter.h, in the
// machine's byte order.
func Encode(instructions []Instruction) []byte {
	const size = 8
	out := make([]byte, 0, size*len(instructions))
	for _, in := range instructions {
		out = binary.NativeEndian.AppendUint16(out, in.Code)
		out = append(out, in.Jt, in.Jf)
		out = binary.NativeEndian.AppendUint32(out, in.K)
	}
	return out
}
