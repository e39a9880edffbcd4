package execs

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/floor"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

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
