package profile

import (
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// needs are the calls that runc still makes in the container between
// installing the filter and the program's first instruction. Measured on runc
// 1.1.5 and 1.5.2 by taking one name at a time from a profile that starts
// containers; docs/profiles.md has the figures.
var needs = struct{ always, beforeNoNewPrivileges []string }{
	always: []string{
		"close", "execve", "fstat", "fstatfs", "getdents64", "openat",
		"openat2", "statx", // runc 1.3.3 and later
	},
	beforeNoNewPrivileges: []string{
		"capget", "capset", "chdir", "futex", "getcwd", "getppid", "newfstatat",
		"prctl", "read", "setgid", "setgroups", "setuid",
	},
}

// Missing returns the calls that a runtime needs to start a container with a
// filter already installed and that s denies, whatever their arguments; none if s is nil. With
// execve among them no runtime can start a program; the others depend on the
// runtime and its version.
func Missing(s *specs.LinuxSeccomp, noNewPrivileges bool) []string {
	if s == nil {
		return nil
	}
	names := needs.always
	if !noNewPrivileges {
		names = slices.Concat(names, needs.beforeNoNewPrivileges)
	}
	var missing []string
	for _, name := range names {
		if denies(s, name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// denies reports whether no rule of s lets the call through and the default
// does not either.
func denies(s *specs.LinuxSeccomp, name string) bool {
	named := false
	for _, rule := range s.Syscalls {
		if !slices.Contains(rule.Names, name) {
			continue
		}
		if permits(rule.Action) || rule.Action == specs.ActNotify || rule.Action == specs.ActTrace {
			return false
		}
		named = named || len(rule.Args) == 0
	}
	return named || !permits(s.DefaultAction) && s.DefaultAction != specs.ActTrace
}

// cannotStart is the ID of the finding that no container can start under a profile.
const cannotStart = "cannot-start"

// validateStart reports a profile under which no container can start.
func (p *Profile) validateStart(n document.Node) {
	if p.seccomp.DefaultAction == "" {
		return // said already
	}
	all := p.seccomp
	for _, r := range p.rules {
		all.Syscalls = append(all.Syscalls, r.LinuxSyscall)
	}
	missing := Missing(&all, false)
	switch {
	case slices.Contains(missing, "execve"):
		n.As(cannotStart).Errorf("cannot start a container: denies %s, which the runtime needs after the filter is in place", strings.Join(missing, ", "))
	case len(missing) > 0:
		n.As("may-not-start").Warnf("may not start a container: denies %s, which runc needs after the filter is in place", strings.Join(missing, ", "))
	}
}
