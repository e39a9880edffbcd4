package observe

import (
	"cmp"
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// observing is the work of one call of Profile.
type observing struct {
	Request
	work      *semantics.Work
	own       *semantics.Meaning // the profile, as the runtime reads it
	arches    []specs.Arch       // of the twin, native first
	otherwise semantics.Outcome  // the twin's default
	names     []string           // all that are looked at, sorted
	last      int                // the highest number above the profile's own that may get a rule

	// changed has the new rules of a name, in place of the profile's.
	changed map[string][]semantics.Clause
	// kept says of a name why it has no new rules although the profile denies it.
	kept map[string]string
	// restated are names that are not notified of but whose rules are written anew.
	restated map[string]bool
	// front are rules on socketcall and ipc, which come before all others.
	front []frontRule
	// unlisted are architectures that the profile kills, and what becomes of them.
	unlisted []Unseen
}

// Reasons why a denial is not seen.
const (
	whyWrite     = "runtimes refuse SCMP_ACT_NOTIFY on write"
	whyHandover  = "the runtime may make this call before the listener can answer"
	whyUnknown   = "the runtime's libseccomp does not know the name"
	whyAmbiguous = "its rules overlap with different actions"
	whyNewer     = "it is newer than the profile: the runtime's own ENOSYS comes first"
	whyMany      = "its conditions are too many to be turned round"
	whyOpaque    = "the profile has conditions of its own on i386's socketcall or ipc"
	whyRules     = "no rule can single it out"
	whyDefault   = "numbers that the runtime has no name for, which the default action denies"
)

func understand(r Request, native specs.Arch) (*observing, error) {
	o := &observing{Request: r, work: semantics.NewWork(), changed: make(map[string][]semantics.Clause), kept: make(map[string]string), restated: make(map[string]bool)}
	var err error
	if o.own, err = r.understand(o.work, native); err != nil {
		return nil, err
	}
	if len(o.own.Misread) > 0 {
		return nil, errMisread
	}
	o.arches = slices.Clone(o.own.Arches)
	o.otherwise = o.own.Otherwise
	if r.Mode == Audit && o.otherwise.Denies() {
		o.otherwise = semantics.Log
	}
	all := make(map[string]bool)
	for name := range o.own.Clauses {
		all[name] = true
	}
	for _, e := range syscalls.Table {
		if !slices.Contains(semantics.NoCalls, e.Name) {
			all[e.Name] = true
		}
	}
	for name := range all {
		if _, ok := o.authority(name); !ok {
			delete(all, name)
		}
	}
	o.names = slices.Sorted(maps.Keys(all))
	return o, o.reach()
}

// authority returns the first architecture of the profile that has a call.
func (o *observing) authority(name string) (arch specs.Arch, ok bool) {
	i := slices.IndexFunc(o.own.Arches, func(arch specs.Arch) bool { return has(arch, name) })
	if i < 0 {
		return "", false
	}
	return o.own.Arches[i], true
}

// notOnX32 are the calls of x86_64 that x32 does not have
// (arch/x86/entry/syscalls/syscall_64.tbl) and has no other number for. libseccomp has no
// number for them there, and the kernel answers ENOSYS.
var notOnX32 = []string{
	"uselib", "_sysctl", "create_module", "get_kernel_syms", "query_module", "nfsservctl", "set_thread_area",
	"get_thread_area", "epoll_ctl_old", "epoll_wait_old", "vserver", "map_shadow_stack",
}

// has reports whether arch has the call. Of a name that no table of Batten has, nothing is
// known, so no architecture has it.
func has(arch specs.Arch, name string) bool {
	on, known := syscalls.Arches(name)
	return known && !(arch == specs.ArchX32 && slices.Contains(notOnX32, name)) && on&syscalls.SetOf[arch] != 0
}

// seen reports whether the listener is to be notified of an outcome.
func (o *observing) seen(p semantics.Outcome) bool {
	if o.Mode == Audit {
		return p.Denies()
	}
	return p.Order == semantics.OrderErrno
}

// notified returns the outcome that takes a profile's place in the twin.
func (o *observing) notified(p semantics.Outcome) semantics.Outcome {
	if o.seen(p) {
		return semantics.Notify
	}
	return p
}

// cannot returns why no rule may notify of a name, whatever the profile says of it; it is
// empty if one may.
func (o *observing) cannot(name string) string {
	switch {
	case name == "write":
		return whyWrite
	case o.Runtime.Judged() && !o.Runtime.Knows(name):
		return whyUnknown
	case slices.Contains(beforeHandover, name):
		return whyHandover
	}
	return ""
}

// name gives a name new rules, or notes why it cannot have them.
func (o *observing) name(name string) {
	var denied bool
	w := o.work.One()
	for _, arch := range o.own.Arches {
		if has(arch, name) {
			f, _ := o.own.On(arch, name)
			denied = denied || w.Has(f, o.seen)
		}
	}
	if !denied {
		return
	}
	arch, _ := o.authority(name)
	f, clear := o.own.On(arch, name)
	constant, whole := f.Constant(&w)
	switch why := o.cannot(name); {
	case why != "":
		o.keep(name, why)
	case whole && o.seen(constant) && slices.Contains(byThreads, name):
		o.keep(name, whyHandover)
	case !clear:
		o.keep(name, whyAmbiguous)
	case o.beyond(name):
		o.keep(name, whyNewer)
	case o.opaque(cmp.Or(syscalls.Multiplexed[name].By, name)):
		o.keep(name, whyOpaque)
	case semantics.IsMultiplexer(name) && !(whole && len(o.own.Clauses[name]) > 0):
		o.keep(name, whyRules)
	default:
		clauses := w.Express(f.Map(o.notified), o.otherwise)
		if !o.Beside {
			clauses = fewer(clauses)
		}
		_, behind := syscalls.Multiplexed[name]
		switch {
		case w.Spent():
			o.keep(name, whyMany)
		case behind && semantics.Halved(clauses):
			o.keep(name, whyRules)
		default:
			o.changed[name] = clauses
		}
	}
}

// keep leaves a name to the profile's own rules.
func (o *observing) keep(name, why string) {
	delete(o.changed, name)
	o.kept[name] = why
	o.lower(name)
}

// opaque reports whether the profile's own rules on a multiplexer of i386 look at arguments,
// or have more than one meaning together with those on the calls behind it. Then nothing that
// comes through it is notified of.
func (o *observing) opaque(by string) bool {
	if !semantics.IsMultiplexer(by) || !slices.Contains(o.own.Arches, specs.ArchX86) {
		return false
	}
	_, clear := o.own.On(specs.ArchX86, by)
	return !clear || conditional(o.own.Clauses[by])
}
