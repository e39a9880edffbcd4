package policy

import (
	"github.com/batten-runtime/batten/policy/observe"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Outcome says what a container runs under, or why it is refused. It does not
// change after Resolve.
type Outcome struct {
	Decision
	// Identity names the container and its pod, as far as the policy believes it.
	Identity Identity
	// Brought is the filter that the container brings, nil where it brings none.
	Brought *specs.LinuxSeccomp
	// Default names the engine whose default profile Brought is; empty for none.
	Default string
	// BaseProfile is the profile before the floor: the one that the policy
	// names, or the one that the container brings; nil where there is none.
	BaseProfile *specs.LinuxSeccomp
	// FloorProfile is the profile that Result is never looser than. It is nil if
	// Decision.Floor is empty.
	FloorProfile *specs.LinuxSeccomp
	// MandatoryProfile is what the mandatory floors make together; nil if there is none. Result
	// and Audited are never looser.
	MandatoryProfile *specs.LinuxSeccomp
	// Audited is what the container runs under in mode Audit: what it brings, under the
	// mandatory floors; nil for no filter.
	Audited *specs.LinuxSeccomp
	// Result is the profile that the policy wants the container to run under;
	// nil for no filter, and where the container is refused.
	Result *specs.LinuxSeccomp
	// Rewrite is set if Result differs from what the container brings, so that
	// config.json must be changed.
	Rewrite bool
	// Notes are further remarks: ABIs that were left out, where a floor is not exact.
	Notes []string
	// Refusal says why the container does not start; empty if it may start.
	// In mode Audit it says what enforcement would refuse.
	Refusal string
	// Unheld is set if the container is refused because a mandatory floor could not hold: in
	// mode Audit, too.
	Unheld bool
	// Observed is the twin of Result under which the container runs so that its denials are
	// seen; nil if they are not. Unobserved says why they are not although the policy asks
	// for it.
	Observed   *observe.Observed
	Unobserved string
	// Missing are calls that the runtime may need before the program starts and that
	// the profile denies.
	Missing []string
}

// Refused reports whether the container does not start. Audit refuses nothing but what
// mandatory floors demand.
func (o *Outcome) Refused() bool { return o.Refusal != "" && (o.Mode == Enforce || o.Unheld) }

// Runs returns the profile that the container runs under: Audited or Result, by the mode. It is
// nil if the container runs without a filter.
func (o *Outcome) Runs() *specs.LinuxSeccomp {
	if o.Mode == Audit {
		return o.Audited
	}
	return o.Result
}

// Installed returns the profile that the runtime is given: what Runs returns, or in its place
// the twin that lets Batten see denials. It is nil for no filter.
func (o *Outcome) Installed() *specs.LinuxSeccomp {
	if o.Observed != nil {
		return &o.Observed.Seccomp
	}
	return o.Runs()
}
