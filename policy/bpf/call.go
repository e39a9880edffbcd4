package bpf

// Call is one system call as a filter sees it: struct seccomp_data of linux/seccomp.h.
type Call struct {
	// Arch is an AUDIT_ARCH_* value. Nr is the call's number; x32 calls have bit 30 set.
	Arch, Nr uint32
	// IP is the instruction pointer.
	IP   uint64
	Args [6]uint64
}

// Offsets of the fields in struct seccomp_data. On the little-endian machines that Batten
// knows, the low half of a 64-bit field comes first.
const (
	OffsetNr   = 0
	OffsetArch = 4
	OffsetIP   = 8
	OffsetArgs = 16
	size       = 64
)

// Word returns the 32-bit word at an offset of struct seccomp_data.
func (c *Call) Word(offset uint32) uint32 {
	switch offset {
	case OffsetNr:
		return c.Nr
	case OffsetArch:
		return c.Arch
	}
	field := *c.field(offset)
	if offset%8 == 4 {
		field >>= 32
	}
	return uint32(field)
}

// SetWord changes the 32-bit word at an offset of struct seccomp_data.
func (c *Call) SetWord(offset, value uint32) {
	switch offset {
	case OffsetNr:
		c.Nr = value
		return
	case OffsetArch:
		c.Arch = value
		return
	}
	field := c.field(offset)
	if offset%8 == 4 {
		*field = *field&0xffffffff | uint64(value)<<32
	} else {
		*field = *field&^0xffffffff | uint64(value)
	}
}

// field returns the 64-bit field that the word at an offset is a half of.
func (c *Call) field(offset uint32) *uint64 {
	if offset < OffsetArgs {
		return &c.IP
	}
	return &c.Args[(offset-OffsetArgs)/8]
}
