package filter

import (
	"slices"

	"golang.org/x/sys/unix"
)

// specAllow is the flag of a profile that leaves the kernel's mitigations of
// speculative execution as they are; without it the kernel may switch them on for the
// process (seccomp(2)). runc and crun set it where a profile has no list of flags.
const specAllow = unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW

// Mitigates reports whether a filter of the stack is known to be loaded without
// SPEC_ALLOW. For filters that were read from the kernel this is unknown.
func (s Stack) Mitigates() bool {
	return slices.ContainsFunc(s, func(p *Program) bool { return p.Flags&specAllow == 0 && !p.Live })
}

// live reports whether a filter of the stack was read from the kernel.
func (s Stack) live() bool { return slices.ContainsFunc(s, func(p *Program) bool { return p.Live }) }

// Logs reports whether a filter of the stack logs what it does not allow.
func (s Stack) Logs() bool {
	return slices.ContainsFunc(s, func(p *Program) bool { return p.Flags&unix.SECCOMP_FILTER_FLAG_LOG != 0 })
}

// LooserFlags returns the flag by which s is looser than floor, empty for none. [Subsumes]
// compares calls, which do not depend on flags. Of filters that were read from the kernel
// only LOG is compared: the kernel tells no other flag.
func LooserFlags(floor, s Stack) string {
	switch {
	case floor.Mitigates() && !s.Mitigates() && !s.live():
		return "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
	case floor.Logs() && !s.Logs():
		return "SECCOMP_FILTER_FLAG_LOG"
	}
	return ""
}

// flagChanges returns the flags that only one of a and b is loaded with. When says which.
func flagChanges(a, b Stack) (out []Change) {
	add := func(flag string, was, is bool) {
		if was == is {
			return
		}
		when := "set, was not"
		if was {
			when = "not set, was"
		}
		out = append(out, Change{Kind: Loads, Flag: flag, When: when})
	}
	if !a.live() && !b.live() {
		add("SECCOMP_FILTER_FLAG_SPEC_ALLOW", !a.Mitigates(), !b.Mitigates())
	}
	add("SECCOMP_FILTER_FLAG_LOG", a.Logs(), b.Logs())
	return out
}
