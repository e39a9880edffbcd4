package profile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Advice returns warnings about what a profile does and its author hardly meant: calls that
// stay allowed beside those that it denies, and what happens to 32-bit programs and threads.
func (p *Profile) Advice() (out document.Findings) {
	add := func(rule int, id, format string, args ...any) {
		f := p.place
		if rule >= 0 && rule < len(p.at) {
			f = p.at[rule]
		}
		f.ID, f.Message, f.Warning = id, fmt.Sprintf(format, args...), true
		out = append(out, f)
	}
	if p.base != "" {
		add(-1, "base-unknown", "the Security Profiles Operator adds the rules of %s, which are not looked at here: for a call of both the looser action counts, and whether a container starts depends on them", p.base)
	}
	if len(p.seccomp.Architectures) == 0 && len(p.archMap) == 0 && semantics.Permits(p.seccomp.DefaultAction) {
		add(-1, "native-only", "lists no architectures, so the filter is for the machine's own ABI alone: 32-bit programs are killed at their first call; list SCMP_ARCH_X86_64 and SCMP_ARCH_X86 where they may run")
	}
	if p.killsThreads() {
		add(-1, "kill-thread", "SCMP_ACT_KILL and SCMP_ACT_KILL_THREAD end the thread that makes the call, and the program goes on without it, perhaps for good; write SCMP_ACT_KILL_PROCESS")
	}
	for i, r := range p.rules {
		if p.denies(r) {
			if open := p.open(r); len(open) > 0 {
				add(i, "siblings-open", "denies %s, and leaves %s open, which can do the same%s", semantics.Some(r.Names), semantics.Some(open), aboutClone3(open))
			}
		}
	}
	for _, m := range p.allMultiplexed() {
		add(m.first, "multiplexed", "%s", m)
	}
	slices.SortStableFunc(out, func(a, b document.Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return out
}

func (p *Profile) killsThreads() bool {
	kills := func(a specs.LinuxSeccompAction) bool { return a == specs.ActKill || a == specs.ActKillThread }
	return kills(p.seccomp.DefaultAction) || slices.ContainsFunc(p.rules, func(r rule) bool { return kills(r.Action) })
}

// denies reports whether r forbids what the default allows.
func (p *Profile) denies(r rule) bool {
	return semantics.Permits(p.seccomp.DefaultAction) && !semantics.Permits(r.Action) && r.Action != specs.ActTrace
}

// open returns the siblings of the calls that r denies, as far as no rule denies them.
func (p *Profile) open(r rule) (out []string) {
	arches := syscalls.OnX8664 | syscalls.OnAarch64
	if p.lists(specs.ArchX86) {
		arches |= syscalls.OnX86
	}
	named := func(name string) bool {
		return slices.ContainsFunc(p.rules, func(other rule) bool {
			return p.denies(other) && slices.Contains(other.Names, name)
		})
	}
	for _, name := range r.Names {
		for _, other := range syscalls.Siblings(name, arches) {
			if !named(other) && !slices.Contains(out, other) {
				out = append(out, other)
			}
		}
	}
	return out
}

// lists reports whether the profile lists an architecture, for some machine.
func (p *Profile) lists(arch specs.Arch) bool {
	return slices.Contains(p.seccomp.Architectures, arch) ||
		slices.ContainsFunc(p.archMap, func(m archMapping) bool { return slices.Contains(m.subs, arch) })
}

// aboutClone3 returns what helps against clone3, whose flags no filter sees: they are in memory.
func aboutClone3(open []string) string {
	if slices.Contains(open, "clone3") {
		return "; no filter sees the flags of clone3: deny it with errnoRet 38 (ENOSYS), and programs call clone"
	}
	return ""
}
