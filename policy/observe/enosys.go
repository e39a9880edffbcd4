package observe

import (
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// reach sets how far the numbers of new rules may go. runc answers ENOSYS above the highest
// number that a profile names. A new rule there moves that bound up, so there may be no
// number in between that has no rule: it would get the default's errno.
func (o *observing) reach() error {
	if !o.own.Otherwise.HasStub() || o.Mode == Audit {
		return nil
	}
	for _, arch := range o.own.Arches {
		last := o.own.Last[arch] &^ syscalls.X32Bit
		if last == 0 {
			return errNamesNothing
		}
		if o.last == 0 || last < o.last {
			o.last = last
		}
	}
	for {
		for _, arch := range o.own.Arches {
			nr := o.last + 1
			if arch == specs.ArchX32 {
				nr |= syscalls.X32Bit
			}
			if nr <= o.own.Last[arch] {
				continue
			}
			if name := syscalls.CallAt(arch, nr); name == "" || !has(arch, name) || slices.Contains(semantics.NoCalls, name) || o.cannot(name) != "" || slices.Contains(byThreads, name) {
				return nil
			}
		}
		o.last++
	}
}

// beyond reports whether a new rule on a name would make the runtime's ENOSYS start at too
// high a number, on some architecture.
func (o *observing) beyond(name string) bool {
	if o.last == 0 {
		return false
	}
	return slices.ContainsFunc(o.own.Arches, func(arch specs.Arch) bool {
		nr, ok := syscalls.StubNumber(arch, name)
		return ok && nr > o.own.Last[arch] && nr&^syscalls.X32Bit > o.last
	})
}

// lower takes the numbers from that of a name on back to the runtime's ENOSYS, where they are
// above the profile's own.
func (o *observing) lower(name string) {
	for _, arch := range o.own.Arches {
		if nr, ok := syscalls.StubNumber(arch, name); ok && o.last > 0 && nr > o.own.Last[arch] {
			o.last = min(o.last, nr&^syscalls.X32Bit-1)
		}
	}
}

// keepNewer keeps the names that have become too new since they had their rules.
func (o *observing) keepNewer() {
	for before := -1; before != o.last; {
		before = o.last
		for _, name := range o.names {
			if o.changed[name] != nil && o.beyond(name) {
				o.keep(name, whyNewer)
			}
		}
	}
}
