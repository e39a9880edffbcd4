package suggest

import (
	"slices"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// An opener is RuntimeDefault for a container with one capability more.
type opener struct {
	capability string
	meaning    *semantics.Meaning
}

// openers returns RuntimeDefault for a container with the given bounding set, and for each
// capability that changes it, by itself, the one with that capability more.
func openers(bounding []string, native specs.Arch) (without *semantics.Meaning, with []opener, err error) {
	plain := profile.RuntimeDefault(bounding)
	if without, err = semantics.Understand(semantics.NewWork(), &plain, native); err != nil {
		return nil, nil, err
	}
	for _, capability := range profile.Capabilities {
		if slices.Contains(bounding, capability) {
			continue
		}
		wider := profile.RuntimeDefault(append(slices.Clone(bounding), capability))
		if string(profile.Encode(wider)) == string(profile.Encode(plain)) {
			continue
		}
		m, err := semantics.Understand(semantics.NewWork(), &wider, native)
		if err != nil {
			return nil, nil, err
		}
		with = append(with, opener{capability, m})
	}
	return without, with, nil
}

// capabilitiesFor returns the capabilities with any one of which RuntimeDefault allows a call
// that it denies otherwise.
func capabilitiesFor(c *Call, without *semantics.Meaning, with []opener) (out []string) {
	if before, _ := without.On(c.Arch, c.Name); !before.At(c.sample).Denies() {
		return nil
	}
	for _, o := range with {
		if after, _ := o.meaning.On(c.Arch, c.Name); !after.At(c.sample).Denies() {
			out = append(out, o.capability)
		}
	}
	return out
}
