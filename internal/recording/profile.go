package recording

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Options are for whom a profile is made. The zero value is right for every runtime.
type Options struct {
	// Runtime says which names the runtime's libseccomp knows; the profile has no others.
	// If the runtime is unknown, all names count as known.
	Runtime syscalls.Runtime
	// NoNewPrivileges says how containers will be started under the profile: runtimes need
	// fewer calls where it is set. If it is nil, they can be started both ways.
	NoNewPrivileges *bool
}

// Made is a profile that was made of recordings.
type Made struct {
	// Seccomp is the profile. Its rules are sorted, and always the same for the same
	// recordings.
	Seccomp specs.LinuxSeccomp
	// Notes say in words what the profile cannot keep, and what the recordings lack.
	Notes []string
	// Skipped are names that were recorded and that the runtime does not know, sorted.
	// Containers are denied these calls.
	Skipped []string
	// By says of each name that the profile allows who made the call.
	By map[string]By

	options    Options
	recordings []*Recording
	clone3     bool // was recorded
}

// By says why a call is in a profile.
type By struct {
	// Program is the name of the process that made the call first; empty if none did.
	Program string `json:"program,omitempty"`
	// Containers is how many containers made the call, of all Of that were recorded.
	Containers int `json:"containers"`
	Of         int `json:"of"`
	// Why is not empty if the call would be allowed even if no container had made it.
	Why string `json:"why,omitempty"`
	// Arguments say who made the call first with each value for which it is allowed, by index
	// and value. They are none if it is allowed whatever its arguments.
	Arguments []ByValue `json:"arguments,omitempty"`
}

// ByValue is who made a call first with a value of one argument.
type ByValue struct {
	Index   uint   `json:"index"`
	Value   uint64 `json:"value"`
	Program string `json:"program"`
}

func (b By) String() string {
	if b.Containers == 0 {
		return b.Why
	}
	return fmt.Sprintf("%s first, %d of %d containers", b.Program, b.Containers, b.Of)
}

// Why a call is allowed that may not have been recorded.
const (
	forRuntime = "runtimes make it when they start a container"
	forKernel  = "every program may need it at any time"
	forClone3  = "the C library takes it in place of clone3"
)

// always are calls that a program makes when it ends, when a signal comes and when it has to wait
// for another, or that the kernel makes for it then. Recordings lack them by accident, since they
// depend on who is first, and they change only their caller.
var always = []string{
	"exit", "exit_group", "restart_syscall", "rt_sigreturn",
	"clock_nanosleep", "futex", "nanosleep", "pause", "rt_sigsuspend", "rt_sigtimedwait", "sched_yield",
}

// Profile returns the profile that allows what the containers of the recordings did, and what
// runtimes need to start them. Other calls fail with EPERM, and with ENOSYS if libraries then take
// another call. What a filter denied is not in the profile. The profile was read as libseccomp
// reads it, and allows each call that was recorded, but for those that Notes name.
//
// It is an error if the recordings have no calls, or are of different machines.
func Profile(recordings []*Recording, o Options) (*Made, error) {
	all, err := gather(recordings)
	if err != nil {
		return nil, err
	}
	m := &making{seen: all, options: o, made: &Made{By: make(map[string]By), options: o, recordings: recordings, clone3: all.calls["clone3"] != nil}}
	m.nameCalls()
	m.needs()
	m.arguments()
	m.fallBack()
	m.notes(recordings)
	m.made.Seccomp = m.seccomp()
	return m.made, m.check()
}

// making is the state of one call of Profile.
type making struct {
	*seen
	options Options
	made    *Made
	plain   map[string]bool // names that are allowed whatever their arguments
	rules   []specs.LinuxSyscall
	enosys  []string
}

func (m *making) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(m.made.Notes, n) {
		m.made.Notes = append(m.made.Notes, n)
	}
}

// nameCalls allows the calls that were recorded, and drops those that the runtime does not know.
func (m *making) nameCalls() {
	m.plain = make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(m.calls)) {
		c := m.calls[name]
		if !m.options.Runtime.Knows(name) {
			m.made.Skipped = append(m.made.Skipped, name)
			continue
		}
		m.made.By[name] = By{Program: c.first.program, Containers: len(c.containers), Of: m.containers}
		if name != "clone3" {
			m.plain[name] = true // until arguments decides otherwise
		}
	}
	delete(m.made.By, "clone3")
	if len(m.made.Skipped) > 0 {
		m.note("%s does not know %s, so that no profile can allow it there", m.options.Runtime, semantics.Some(m.made.Skipped))
	}
}

// needs allows what the runtime needs to start a container, and what every program may need.
func (m *making) needs() {
	noNewPrivileges := m.options.NoNewPrivileges != nil && *m.options.NoNewPrivileges
	m.need(profile.AtStart(noNewPrivileges), forRuntime)
	names := always
	if slices.Contains(m.arches, specs.ArchX86) {
		names = append(slices.Clone(names), "sigreturn")
	}
	m.need(names, forKernel)
}

func (m *making) need(names []string, why string) {
	for _, name := range names {
		if !m.options.Runtime.Knows(name) {
			continue // this runtime cannot need it
		}
		by := m.made.By[name]
		by.Why, by.Of = why, m.containers
		m.made.By[name], m.plain[name] = by, true
	}
}

// seccomp returns the rules as a profile.
func (m *making) seccomp() specs.LinuxSeccomp {
	out := specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: m.arches} // by default with EPERM
	out.Syscalls = append(out.Syscalls, specs.LinuxSyscall{Names: slices.Sorted(maps.Keys(m.plain)), Action: specs.ActAllow})
	slices.SortStableFunc(m.rules, func(a, b specs.LinuxSyscall) int { return cmp.Compare(a.Names[0], b.Names[0]) })
	out.Syscalls = append(out.Syscalls, m.rules...)
	if len(m.enosys) > 0 {
		out.Syscalls = append(out.Syscalls, specs.LinuxSyscall{Names: m.enosys, Action: specs.ActErrno, ErrnoRet: errno(semantics.ENosys)})
	}
	return out
}

func errno(n uint) *uint { return &n }

// check reads the profile as libseccomp does, and returns an error if it denies a call that was
// recorded and that it should allow.
func (m *making) check() error {
	denied, _, err := m.made.Denied(&m.made.Seccomp)
	if err != nil {
		return fmt.Errorf("the profile of the recording: %w", err)
	}
	if len(denied) > 0 {
		return fmt.Errorf("no rules can allow what was recorded: %s", few(denied))
	}
	return nil
}
