package observe

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Mode is what the listener does.
type Mode int

const (
	// Count is for a listener that answers each call with the profile's errno. What the
	// profile ends by KILL or TRAP stays as it is.
	Count Mode = iota
	// Audit is for a listener that lets each call run. The twin denies nothing: where it
	// cannot notify, it lets the call through, and the kernel logs it.
	Audit
)

// Request says what is to be observed.
type Request struct {
	// Seccomp is the profile as it would be enforced.
	Seccomp specs.LinuxSeccomp
	Mode    Mode
	// Runtime says which names the runtime knows; it skips rules on others. If it is
	// unknown, names that Batten knows count as known.
	Runtime syscalls.Runtime
	// Beside is set for a twin that is to be intersected with another profile. No two of its
	// rules overlap then, since each such pair costs the intersection much.
	Beside bool
	// Killable is set where runtime, libseccomp and kernel have
	// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: once the listener has received a call, no signal
	// but SIGKILL ends its wait for the answer (seccomp_unotify(2)).
	Killable bool
	// ListenerPath is the socket to which the runtime hands the descriptor.
	ListenerPath string
}

// Observed is the twin of a profile.
type Observed struct {
	Seccomp specs.LinuxSeccomp
	// Unseen is what the profile denies and the twin does not notify of, sorted by name.
	Unseen []Unseen
	// Instructions of the compiled filter: an estimate, never below what libseccomp 2.5 needs.
	Instructions int
	answers      *answers
}

// Unseen is a denial that the listener does not see.
type Unseen struct {
	// Name is the call's. It is empty for calls that no rule can name.
	Name string `json:"name,omitempty"`
	// Arches are the architectures on which it is not seen.
	Arches []specs.Arch `json:"arches"`
	Why    string       `json:"why"`
}

// Errors of [Profile].
var (
	ErrOwnListener = errors.New("the profile notifies a listener of its own, and a container can have only one: it cannot be observed")
	errNoListener  = errors.New("no listenerPath is given for the observing profile")
)

// Profile returns the twin of a profile, of which [Request] says the mode. With NOTIFY read
// as the listener's answer, the twin of Count does for each call what the profile does,
// with the same errno; so it is nowhere looser.
//
// What SCMP_ACT_NOTIFY cannot take, and what no rule can single out, is in Unseen: it stays
// denied under Count, and is let through under Audit.
//
// Errors are profiles that runc would refuse, that have a listener of their own, or whose
// twin is too large to load. The profile can then be enforced, but not observed.
func Profile(r Request) (*Observed, error) {
	native := syscalls.Native[runtime.GOARCH]
	if _, known := syscalls.SetOf[native]; !known {
		return nil, fmt.Errorf("no profile can be observed on %s machines", runtime.GOARCH)
	}
	if r.ListenerPath == "" {
		return nil, errNoListener
	}
	if r.Seccomp.ListenerPath != "" || slices.ContainsFunc(r.Seccomp.Syscalls, func(s specs.LinuxSyscall) bool { return s.Action == specs.ActNotify }) {
		return nil, ErrOwnListener
	}
	if err := semantics.CheckSize(&r.Seccomp); err != nil {
		return nil, semantics.Said("the profile", err)
	}
	o, err := understand(r, native)
	if err != nil {
		return nil, semantics.Said("the profile", err)
	}
	for _, name := range o.names {
		o.name(name)
	}
	if err := o.settle(); err != nil {
		return nil, cmp.Or(o.work.Err(), err)
	}
	o.addArches()
	out := &Observed{Seccomp: o.seccomp(o.rules()), Unseen: o.listUnseen(), answers: &answers{request: r, native: native}}
	if err := cmp.Or(o.work.Err(), semantics.CheckSize(&out.Seccomp)); err != nil {
		return nil, semantics.Said("the observing profile", err)
	}
	instructions, most := semantics.Size(out.Seccomp.Syscalls, o.arches)
	if err := tooLarge(instructions, most); err != nil {
		return nil, err
	}
	out.Instructions = instructions
	return out, nil
}

// Known returns what Profile has returned for r before, from the parts of it that others can
// keep: its profile, whose listenerPath becomes that of r, and what is not seen.
func Known(r Request, seccomp specs.LinuxSeccomp, unseen []Unseen, instructions int) *Observed {
	if seccomp.ListenerPath != "" {
		seccomp.ListenerPath = r.ListenerPath
	}
	return &Observed{Seccomp: seccomp, Unseen: unseen, Instructions: instructions, answers: &answers{request: r, native: syscalls.Native[runtime.GOARCH]}}
}

// seccomp returns the twin with these rules.
func (o *observing) seccomp(rules []specs.LinuxSyscall) specs.LinuxSeccomp {
	out := o.Seccomp
	out.Syscalls = rules
	out.Architectures = slices.Clone(o.Seccomp.Architectures)
	for _, arch := range o.arches {
		if !slices.Contains(o.own.Arches, arch) {
			out.Architectures = append(out.Architectures, arch)
		}
	}
	if o.otherwise != o.own.Otherwise {
		out.DefaultAction, out.DefaultErrnoRet = o.otherwise.Action()
	}
	if slices.ContainsFunc(rules, func(r specs.LinuxSyscall) bool { return r.Action == specs.ActNotify }) {
		out.ListenerPath = o.ListenerPath
		if o.Killable {
			out.Flags = killable(out.Flags)
		}
	}
	return out
}

// killable returns flags with WAIT_KILLABLE_RECV. No list means SPEC_ALLOW to runc and crun, and
// goes on meaning that.
func killable(flags []specs.LinuxSeccompFlag) []specs.LinuxSeccompFlag {
	if slices.Contains(flags, specs.LinuxSeccompFlagWaitKillableRecv) {
		return flags
	}
	if flags == nil {
		flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagSpecAllow}
	}
	return append(slices.Clone(flags), specs.LinuxSeccompFlagWaitKillableRecv)
}

// maxInstructions is all that the kernel takes of a filter (BPF_MAXINSNS).
const maxInstructions = 4096

// tooLarge returns an error for an estimate that the kernel may not take.
func tooLarge(instructions int, most []string) error {
	if instructions <= maxInstructions {
		return nil
	}
	return fmt.Errorf("the observing profile would have about %d instructions, more than the %d that the kernel takes; most are for %s: give these fewer conditions, or list fewer architectures",
		instructions, maxInstructions, strings.Join(most, ", "))
}
