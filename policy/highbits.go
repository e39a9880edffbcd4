package policy

import (
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// HighBits returns, as errors, the conditions in the policy's profiles that do not hold for
// a call with other high bits, which the kernel does not read. A container whose base is
// such a profile still starts; one whose floor is such a profile does not.
func (p *Policy) HighBits() (out document.Findings) {
	for _, own := range p.ownProfiles() {
		out = append(out, own.HighBitsFindings()...)
	}
	return out
}

// Advice returns, as warnings, what the policy's profiles do and their author hardly
// meant.
func (p *Policy) Advice() (out document.Findings) {
	for _, own := range p.ownProfiles() {
		out = append(out, own.Advice()...)
	}
	return out
}

// heldByAll returns an error for a floor that a call can pass by setting bits that the
// kernel does not read: such a floor does not do what its author means.
func heldByAll(floor *specs.LinuxSeccomp) error {
	found, err := semantics.PassedByHighBits(floor)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("syscalls[%d]: %v", found[0].Rule, found[0])
	}
	return err
}

// held is heldByAll for the floor of a decision.
func (p *Policy) held(d Decision, floor *specs.LinuxSeccomp) error {
	if strings.Contains(d.Floor, together) {
		return nil // joined has asked that of each
	}
	if err := heldByAll(floor); err != nil {
		return fmt.Errorf("policy %q: floor %q: %w", p.Path, d.Floor, err)
	}
	return nil
}
