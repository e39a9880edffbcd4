package recording

import (
	"fmt"
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Beyond returns, in words and sorted, the calls of recordings that a profile denies, and who made
// each first. clone3 that fails with ENOSYS is none of these: libraries take clone then.
func Beyond(recordings []*Recording, s specs.LinuxSeccomp) ([]string, error) {
	all, err := gather(recordings)
	if err != nil {
		return nil, err
	}
	meaning, err := semantics.Understand(semantics.NewWork(), &s, all.arches[0])
	if err != nil {
		return nil, err
	}
	found := make(map[string]bool)
	for _, at := range all.sites {
		f, _ := meaning.On(at.arch, at.name)
		o := f.At(at.args)
		if !o.Denies() || at.name == "clone3" && o == semantics.Enosys {
			continue
		}
		c := all.calls[at.name]
		found[fmt.Sprintf("%s: %s, %d of %d", c.name, c.program, len(c.containers), all.containers)] = true
	}
	return slices.Sorted(maps.Keys(found)), nil
}
