package execs

import (
	"encoding/json"
	"fmt"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/floor"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Block is what containers are closed to. It is not for several goroutines.
type Block struct {
	profile specs.LinuxSeccomp
	// met is what came of profiles, by their text without a listener's path: most containers of
	// a node keep the same few.
	met map[string]floor.Floored
}

// New returns the block of all that a profile denies.
func New(profile specs.LinuxSeccomp) *Block {
	return &Block{profile: profile, met: make(map[string]floor.Floored)}
}

// meet returns a profile that is nowhere looser than the block or the one that is kept.
func (b *Block) meet(kept specs.LinuxSeccomp) (floor.Floored, error) {
	path := kept.ListenerPath
	if path != "" {
		kept.ListenerPath = "listener"
	}
	key, err := json.Marshal(kept)
	if err != nil {
		return floor.Floored{}, err
	}
	met, known := b.met[string(key)]
	if !known {
		if met, _, err = floor.Floor(b.profile, kept, floor.Limits{}); err != nil { // an observing profile has many rules
			met, err = coarse(b.profile, kept)
		}
		if err != nil {
			return met, err
		}
		b.met[string(key)] = met
	}
	if met.Seccomp.ListenerPath != "" {
		met.Seccomp.ListenerPath = path
	}
	return met, nil
}

// coarse meets a block and a profile whose exact intersection is too large, as that of most
// observing profiles is. The result may be stricter than both, and is proved, as libseccomp
// compiles it, to be nowhere looser than the block.
func coarse(block, kept specs.LinuxSeccomp) (met floor.Floored, err error) {
	if met, _, err = floor.Floor(block, kept, floor.Limits{Coarse: true}); err != nil {
		return met, err
	}
	compiled, err := filter.InTime(&met.Seccomp, func() (*filter.Program, error) { return filter.Compile(&met.Seccomp) })
	if err != nil {
		return met, err
	}
	demand, err := filter.Compile(&block)
	if err != nil {
		return met, err
	}
	looser, err := filter.Subsumes(filter.Stack{demand}, filter.Stack{compiled})
	if err == nil && looser != nil {
		err = fmt.Errorf("libseccomp makes them looser than the block: %v", looser)
	}
	return met, err
}
