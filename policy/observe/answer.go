package observe

import (
	"slices"
	"sync"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// answers says what a profile does with calls that its twin has notified of. It reads the
// profile for each call that is new, and keeps what it says of that one: most containers are
// denied nothing, or the same few calls, and there is a shim for each pod.
type answers struct {
	request Request
	native  specs.Arch

	mu    sync.Mutex
	known map[semantics.Numbered]semantics.Function // guarded by mu
}

// Asked returns what was to be observed.
func (o *Observed) Asked() Request { return o.answers.request }

// Answer returns what the profile does with a call that the twin has notified of. ok is
// false for a call that no profile has rules for, as one by an architecture that the
// profile does not list. It may be called by several goroutines at once.
func (o *Observed) Answer(call bpf.Call) (outcome semantics.Outcome, ok bool) {
	f, ok := o.answers.of(call)
	if !ok {
		return semantics.Outcome{}, false
	}
	return f.At(call.Args), true
}

// Errno returns the errno with which a listener that enforces is to answer. Where the profile
// has none, it is ENOSYS, which the kernel returns if nobody listens. It is never
// looser than the profile.
func (o *Observed) Errno(call bpf.Call) uint16 {
	if outcome, ok := o.Answer(call); ok && outcome.Order == semantics.OrderErrno {
		return outcome.Data
	}
	return semantics.ENosys
}

// Arguments returns the arguments, by index, that the profile looks at to decide on a call that
// the twin has notified of. Two calls of one number that agree in these have one answer.
func (o *Observed) Arguments(call bpf.Call) []uint {
	f, _ := o.answers.of(call)
	return f.Arguments()
}

// of returns what the profile does with the calls of one number.
func (a *answers) of(call bpf.Call) (semantics.Function, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	number := semantics.NumberedCall(call)
	if f, ok := a.known[number]; ok {
		return f, true
	}
	arch, known := number.ArchOf()
	name := ""
	if known {
		name = syscalls.CallAt(arch, int(number.Nr))
	}
	own, err := a.request.understand(semantics.NewWork(), a.native)
	if name == "" || err != nil || !slices.Contains(own.Arches, arch) {
		return semantics.Function{}, false
	}
	f, _ := own.On(arch, name)
	if a.known == nil {
		a.known = make(map[semantics.Numbered]semantics.Function)
	}
	a.known[number] = f
	return f, true
}

// understand returns what the runtime makes of the profile.
func (r Request) understand(w *semantics.Work, native specs.Arch) (*semantics.Meaning, error) {
	read := r.Seccomp
	if r.Runtime.Judged() {
		read = semantics.AsRead(&r.Seccomp, r.Runtime)
	}
	return semantics.Understand(w, &read, native)
}
