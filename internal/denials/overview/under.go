package overview

import (
	"errors"
	"fmt"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Under is the profile that denies the calls of a container, or in an audit would deny them.
type Under struct {
	Seccomp specs.LinuxSeccomp
	// Name is the policy's word for the profile, Floor that for its floor; empty for none.
	Name, Floor string
	// FloorProfile is nil if there is no floor, and if Seccomp is the floor.
	FloorProfile *specs.LinuxSeccomp
	// Mandatory names the mandatory floors, which no rule lifts; MandatoryProfile is nil for
	// none.
	Mandatory        string
	MandatoryProfile *specs.LinuxSeccomp
	// Bounding is the container's bounding set.
	Bounding []string
	// Filtered is set if the container brings a filter.
	Filtered bool
	// Changed is set if today's policy has another profile for the container than the one
	// whose denials were counted.
	Changed bool
	// Policy and Decision are today's.
	Policy   *policy.Policy
	Decision policy.Decision
}

// Node is what profiles are resolved against.
type Node struct {
	// Policy returns the policy at a path, "" for the node's, as it is today.
	Policy func(path string) (*policy.Policy, error)
	// Machine returns this machine with the OCI runtime at a path.
	Machine func(runtime string) policy.Machine
}

var errOwnProfile = errors.New("the filter that the container brought is not at hand any more")

// Under returns the profile of a container by today's policy.
func (n Node) Under(rec *record.Record) (*Under, error) {
	path := rec.Policy
	if path == policy.BuiltinPath {
		path = ""
	}
	p, err := n.Policy(path)
	if err != nil {
		return nil, fmt.Errorf("today's policy cannot be read: %w", err)
	}
	s, err := spec.Load(rec.Bundle)
	if err != nil {
		return nil, err
	}
	runtime := names.RuntimeType
	if rec.Call != nil {
		runtime = names.Wrapper
	}
	r := enforce.Request(p, enforce.Source{ContainerdNamespace: rec.ContainerdNamespace, Engine: rec.Engine, Runtime: runtime, Bundle: rec.Bundle}, s)
	r.Filtered, r.Default = rec.Asked != record.None, rec.Default
	var brought *specs.LinuxSeccomp
	if rec.Kept || rec.Asked == enforce.Digest(s.Seccomp) {
		if brought, err = enforce.Brought(s); err != nil {
			return nil, err
		}
	}
	o := p.Resolve(r, brought, n.Machine(rec.OCIRuntime))
	switch {
	case o.Refusal != "":
		return nil, fmt.Errorf("today's policy would refuse it: %s", o.Refusal)
	case o.Result == nil && r.Filtered:
		return nil, errOwnProfile
	case o.Result == nil:
		return nil, errors.New("today's policy has no filter for it")
	}
	u := &Under{
		Seccomp: *o.Result, Name: o.Word, Floor: o.Floor, Bounding: r.Bounding, Filtered: r.Filtered,
		Changed: rec.Denials.Seen() && rec.Denials.Profile != enforce.Digest(profile.Encode(*o.Result)),
		Policy:  p, Decision: o.Decision,
	}
	u.Mandatory, u.MandatoryProfile = o.Mandatory, o.MandatoryProfile
	if o.FloorProfile != o.BaseProfile {
		u.FloorProfile = o.FloorProfile
	}
	return u, nil
}
