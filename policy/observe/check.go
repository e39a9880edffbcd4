package observe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var (
	errMisread      = errors.New("libseccomp may misread it, so it cannot be observed; take SCMP_ARCH_X32 out of architectures, or allow a call without conditions")
	errNamesNothing = errors.New("it denies by default and names no call, so no container can start under it")
)

// read returns what libseccomp and the kernel make of the twin.
func (o *observing) read() (*semantics.Meaning, error) {
	s := o.seccomp(o.rules())
	if o.Runtime.Judged() {
		s = semantics.AsRead(&s, o.Runtime)
	}
	return semantics.Understand(o.work, &s, o.own.Arches[0])
}

// settle compares the twin with the profile, and takes new rules back until the twin does
// nothing but what it should.
func (o *observing) settle() error {
	for range len(o.changed) + 8 {
		o.keepNewer()
		twin, err := o.read()
		if err != nil {
			return fmt.Errorf("the observing profile: %w", err)
		}
		if len(twin.Misread) > 0 {
			return errors.New("libseccomp may misread the observing profile; take SCMP_ARCH_X32 out of architectures")
		}
		wrong := o.wrong(twin)
		if len(wrong) == 0 || o.work.Err() != nil {
			return o.work.Err()
		}
		before := o.progress()
		for _, name := range wrong {
			switch {
			case semantics.IsMultiplexer(name):
				o.separate(name)
			case o.changed[name] != nil:
				o.keep(name, whyRules)
			default:
				o.lower(name)
				o.restate(name)
			}
		}
		if before == o.progress() {
			return fmt.Errorf("no rules can notify of what the profile denies, because of %s", strings.Join(wrong[:min(3, len(wrong))], ", "))
		}
	}
	return errors.New("no rules can notify of what the profile denies")
}

// restate writes the rules of a name anew that is not notified of. Under Audit the default
// action is LOG, and runtimes skip the profile's own rules that say LOG.
func (o *observing) restate(name string) {
	arch, _ := o.authority(name)
	f, clear := o.own.On(arch, name)
	if o.Mode != Audit || !clear || o.restated[name] {
		return
	}
	w := o.work.One()
	clauses := w.Express(f.Map(func(p semantics.Outcome) semantics.Outcome {
		if p.Denies() {
			return o.otherwise
		}
		return p
	}), o.otherwise)
	if !w.Spent() {
		o.changed[name], o.restated[name] = clauses, true
	}
}

// progress differs after each change to the twin.
func (o *observing) progress() [4]int {
	return [4]int{len(o.changed), len(o.front), o.last, len(o.restated)}
}

// wrong returns the calls with which the twin does what it should not.
func (o *observing) wrong(twin *semantics.Meaning) (names []string) {
	for _, name := range o.names {
		for _, arch := range o.own.Arches {
			if !has(arch, name) {
				continue
			}
			own, was := o.own.On(arch, name)
			got, clear := twin.On(arch, name)
			w := o.work.One()
			differs := o.differs
			if !was && o.Mode == Audit { // it is not known what the profile does, only that nothing is denied here
				differs = func(_, twin semantics.Outcome) bool { return twin.Denies() }
			}
			if was && !clear || w.Somewhere(own, got, differs) || w.Spent() {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// differs reports whether an outcome of the twin may not stand for the profile's.
func (o *observing) differs(own, twin semantics.Outcome) bool {
	switch {
	case twin == semantics.Notify:
		return !o.seen(own)
	case o.Mode == Audit && own.Denies():
		return twin.Denies()
	}
	return own != twin
}

// listUnseen returns what the profile denies and the twin does not notify of.
func (o *observing) listUnseen() (out []Unseen) {
	twin, err := o.read()
	if err != nil {
		return nil // settle has read it
	}
	if o.seen(o.own.Otherwise) || o.last > 0 {
		out = append(out, Unseen{Arches: o.own.Arches, Why: whyDefault})
	}
	out = append(out, o.unlisted...)
	for _, name := range o.names {
		var on []specs.Arch
		for _, arch := range o.own.Arches {
			if !has(arch, name) {
				continue
			}
			own, _ := o.own.On(arch, name)
			got, _ := twin.On(arch, name)
			w := o.work.One()
			opaque := arch == specs.ArchX86 && o.opaque(cmp.Or(syscalls.Multiplexed[name].By, name))
			if opaque || w.Somewhere(own, got, func(own, twin semantics.Outcome) bool { return o.seen(own) && twin != semantics.Notify }) {
				on = append(on, arch)
			}
		}
		if len(on) > 0 {
			out = append(out, Unseen{Name: name, Arches: on, Why: o.why(name)})
		}
	}
	slices.SortStableFunc(out, func(a, b Unseen) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (o *observing) why(name string) string {
	if o.opaque(name) {
		return whyOpaque
	}
	return cmp.Or(o.kept[name], whyRules)
}
