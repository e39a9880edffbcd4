package observe

import (
	"runtime"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// addArches lets programs of architectures that the profile does not list run in an audit.
// The profile kills them, but rules are by name for all architectures, so the listener sees
// of their calls only those that are denied on the others, too.
func (o *observing) addArches() {
	for _, arch := range semantics.MachineArches(runtime.GOARCH) {
		if slices.Contains(o.own.Arches, arch) {
			continue
		}
		if o.Mode == Audit && o.add(arch) {
			o.unlisted = append(o.unlisted, Unseen{Arches: []specs.Arch{arch}, Why: "the profile does not list the architecture and kills its programs; here they run"})
		} else {
			o.unlisted = append(o.unlisted, Unseen{Arches: []specs.Arch{arch}, Why: "the profile does not list the architecture: its programs are killed"})
		}
	}
}

// add adds an architecture, if libseccomp takes the rules there.
func (o *observing) add(arch specs.Arch) bool {
	arches, front := o.arches, slices.Clone(o.front)
	o.arches = append(slices.Clone(arches), arch)
	if arch == specs.ArchX86 {
		o.openMultiplexers()
	}
	if twin, err := o.read(); err == nil && len(twin.Misread) == 0 && o.clear(twin, arch) {
		return true
	}
	o.arches, o.front = arches, front
	return false
}

// clear reports whether the twin has one meaning on arch.
func (o *observing) clear(twin *semantics.Meaning, arch specs.Arch) bool {
	for _, name := range o.names {
		if has(arch, name) {
			if _, one := twin.On(arch, name); !one {
				return false
			}
		}
	}
	return true
}
