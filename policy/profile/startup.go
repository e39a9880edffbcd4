package profile

import (
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// needs are the calls that runc still makes in the container between installing the filter
// and the program's first instruction. integration's TestNeeds measures them on runc 1.1.5,
// 1.5.2 and 1.6.0-rc.1, by taking one name at a time from a profile that starts containers;
// docs/reference/profiles.md has the figures.
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

// Missing returns the calls that s denies, whatever their arguments, and that a runtime
// needs after it has installed the filter, to start the container. It returns none if s is
// nil. Without execve no runtime can start a program; the other calls depend on the runtime
// and its version.
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
		if Denies(s, name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// made are all the calls that runc and crun were seen to make there, and those that the Go runtime
// in runc makes when it likes, for the container's first program and for execs. Under a profile
// without one of them a container may start all the same. Measured by strace on runc 1.1.5 and
// 1.5.2, crun 1.8.1 and 1.21, with a listener and without; docs/reference/profiles.md says more.
// open_tree, fsopen, fsmount and fsconfig, which runc 1.5.2 tries for an exec, are not among them:
// it does without, and they open more than a container should have; nor is ioctl, which crun asks
// about its terminal with.
var made = struct{ always, beforeNoNewPrivileges []string }{
	always: []string{
		"close", "execve", "fcntl", "fstat", "fstatfs", "futex", "getdents64", "openat", "openat2", "statx", "write",
		"read", "recvfrom", // runc, to hand a listener over
		"close_range", "kill", "munmap", "wait4", // crun, the last three to hand a listener over
		"faccessat", "uname", // runc, for an exec
		"capset", "fchown", "prctl", "setgroups", "setresgid", "setresuid", "umask", // crun, for an exec, with no_new_privs too
		// the Go runtime
		"epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2", "exit", "exit_group", "getpid", "gettid", "madvise", "mmap", "mprotect",
		"nanosleep", "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_yield", "sigaltstack", "tgkill",
	},
	beforeNoNewPrivileges: []string{
		"capget", "chdir", "faccessat2", "getcwd", "getppid", "newfstatat", "pselect6", "setgid", "setuid",
	},
}

// AtStart returns the calls that runc and crun make after they have installed the filter, whether
// the container needs them to start or not, sorted. Under a profile that allows them, denials are
// the container's own.
func AtStart(noNewPrivileges bool) []string {
	names := made.always
	if !noNewPrivileges {
		names = slices.Concat(names, made.beforeNoNewPrivileges)
	}
	return slices.Sorted(slices.Values(names))
}

// lately are the calls among these that only runc 1.3.3 and later makes there. Measured on
// 1.1.5, which does not, and on 1.5.2.
var lately = []string{"openat2", "statx", "futex"}

// RecentRunc is the first version of runc that makes the calls of lately.
const RecentRunc = "1.3.3"

// Hangs returns the calls that runc needs after it has installed the filter, and for which s
// kills the thread that makes them: the other threads of runc then wait for it without end.
// recent says that runc is known to be [RecentRunc] or later. crun has only one thread.
func Hangs(s *specs.LinuxSeccomp, noNewPrivileges, recent bool) []string {
	return slices.DeleteFunc(killed(s, noNewPrivileges), func(name string) bool {
		return !recent && (slices.Contains(lately, name) || name == "fstat" && noNewPrivileges)
	})
}

// killed returns the calls that some runc needs and for which s kills the thread.
func killed(s *specs.LinuxSeccomp, noNewPrivileges bool) []string {
	return slices.DeleteFunc(Missing(s, noNewPrivileges), func(name string) bool {
		action := s.DefaultAction
		for _, rule := range s.Syscalls {
			if len(rule.Args) == 0 && slices.Contains(rule.Names, name) {
				action = rule.Action
			}
		}
		return action != specs.ActKill && action != specs.ActKillThread
	})
}

// Denies reports whether s denies a call whatever its arguments: neither a rule nor the
// default lets it through.
func Denies(s *specs.LinuxSeccomp, name string) bool {
	named := false
	for _, rule := range s.Syscalls {
		if !slices.Contains(rule.Names, name) {
			continue
		}
		if semantics.Permits(rule.Action) || rule.Action == specs.ActNotify || rule.Action == specs.ActTrace {
			return false
		}
		named = named || len(rule.Args) == 0
	}
	return named || !semantics.Permits(s.DefaultAction) && s.DefaultAction != specs.ActTrace
}

// cannotStart is the ID of the finding that no container can start under a profile.
const cannotStart = "cannot-start"

// validateStart reports a profile under which no container can start.
func (p *Profile) validateStart(n document.Node) {
	if p.seccomp.DefaultAction == "" || p.base != "" {
		return // said already, or not known: the base allows what a runtime needs
	}
	all := p.seccomp
	for _, r := range p.rules {
		all.Syscalls = append(all.Syscalls, r.LinuxSyscall)
	}
	missing := Missing(&all, false)
	kills := killed(&all, false)
	switch {
	case slices.Contains(missing, "execve"):
		n.As(cannotStart).Errorf("cannot start a container: denies %s, which the runtime needs after the filter is in place", strings.Join(missing, ", "))
	case len(kills) > 0:
		n.As("hangs-runtime").Warnf("ends the thread that calls %s, which runc needs after the filter is in place: its other threads wait for good, so that the container is never made; allow these calls", strings.Join(kills, ", "))
	case len(missing) > 0:
		n.As("may-not-start").Warnf("may not start a container: denies %s, which runc needs after the filter is in place", strings.Join(missing, ", "))
	}
}
