package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// sealPrefix begins the name that [Seal] gives a profile. No system call has such a
// name.
const sealPrefix = "batten-profile-sha256-"

// Seal returns s with one more rule at its end, which changes nothing for any
// call but which no other profile has: its name ends in the SHA-256 of all the rest, but
// for the listener's path and metadata, which the filter does not have either.
// Sealing a sealed profile returns the same one.
//
// A runtime may keep the filters that it compiles, and find them again by a key that
// it makes of a profile. crun does: from 1.14 on always, before that where it was built
// with libgcrypt (calculate_seccomp_checksum, src/libcrun/seccomp.c). The key of a
// sealed profile ends in the name of the last rule, so that two sealed profiles that
// differ have different keys.
//
// runc and crun skip the rule because its action is the default action; they do so
// before they look at the name, so that crun's annotation
// run.oci.seccomp_fail_unknown_syscall makes no difference.
func Seal(s specs.LinuxSeccomp) specs.LinuxSeccomp {
	bare := Unseal(s)
	bare.Syscalls = append(slices.Clip(bare.Syscalls), sealOf(bare))
	return bare
}

// EncodeSealed returns Encode(Seal(s)), and the SHA-256 of s's own encoding, without a seal.
// Without a listener that is the digest in the seal's name, and s is encoded once.
func EncodeSealed(s specs.LinuxSeccomp) (sealed []byte, digest [sha256.Size]byte) {
	bare := Unseal(s)
	data := Encode(bare)
	digest = sha256.Sum256(data)
	e := encoder{out: data}
	if len(bare.Syscalls) == 0 {
		e.out = e.out[:len(data)-len("}")]
		e.key("syscalls")
		e.out = append(e.out, '[')
	} else {
		e.out = append(e.out[:len(data)-len("]}")], ',')
	}
	if bare.ListenerPath == "" && bare.ListenerMetadata == "" {
		e.rule(sealNamed(digest, bare))
	} else {
		e.rule(sealOf(bare))
	}
	return append(e.out, "]}"...), digest
}

// Unseal returns s without the rule that [Seal] added. A last rule that only looks
// like it stays.
func Unseal(s specs.LinuxSeccomp) specs.LinuxSeccomp {
	last := len(s.Syscalls) - 1
	if last < 0 || len(s.Syscalls[last].Names) != 1 || len(s.Syscalls[last].Args) > 0 {
		return s
	}
	bare := s
	bare.Syscalls = s.Syscalls[:last:last]
	want, got := sealOf(bare), s.Syscalls[last]
	if got.Names[0] != want.Names[0] || got.Action != want.Action || !sameErrno(got.ErrnoRet, want.ErrnoRet) {
		return s
	}
	return bare
}

// sealOf returns the rule that seals s.
func sealOf(s specs.LinuxSeccomp) specs.LinuxSyscall {
	s.ListenerPath, s.ListenerMetadata = "", ""
	return sealNamed(sha256.Sum256(Encode(s)), s)
}

func sealNamed(digest [sha256.Size]byte, s specs.LinuxSeccomp) specs.LinuxSyscall {
	return specs.LinuxSyscall{
		Names:  []string{sealPrefix + hex.EncodeToString(digest[:])},
		Action: s.DefaultAction, ErrnoRet: s.DefaultErrnoRet,
	}
}

func sameErrno(a, b *uint) bool {
	return a == b || a != nil && b != nil && *a == *b
}
