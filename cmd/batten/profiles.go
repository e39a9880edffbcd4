package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// reading is how a subcommand reads profiles.
type reading struct{ capabilities list }

func newReading(i *invocation) *reading {
	r := &reading{}
	i.flags.Var(&r.capabilities, "capability", "`name` of a capability that profiles are resolved for; may be repeated")
	return r
}

// profile reads a profile: a file, - for standard input, or RuntimeDefault.
func (r *reading) profile(i *invocation, name string) (*specs.LinuxSeccomp, error) {
	if name == policy.RuntimeDefault {
		s := profile.RuntimeDefault(r.capabilities)
		return &s, nil
	}
	var data []byte
	var err error
	if name == "-" {
		data, err = io.ReadAll(io.LimitReader(i.stdin, profile.MaxSize+1))
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, hinted{err, "a profile is a file, - for standard input, or the word RuntimeDefault"}
	}
	p, findings := profile.ParseWrapped(name, data)
	if err := findings.Err(); err != nil {
		return nil, hinted{err, "docs/profiles.md says what a profile may hold"}
	}
	for _, f := range findings {
		fmt.Fprintln(i.stderr, f)
	}
	s := p.Resolve(profile.Target{Bounding: r.capabilities, KernelRelease: enforce.KernelRelease()})
	return &s, nil
}

// program is a profile and its filter.
func (r *reading) program(i *invocation, name string) (*specs.LinuxSeccomp, *filter.Program, error) {
	s, err := r.profile(i, name)
	if err != nil {
		return nil, nil, err
	}
	p, err := filter.Compile(s)
	if err != nil {
		return nil, nil, hinted{fmt.Errorf("profile %q: %w", name, err), "runc refuses such a profile, too"}
	}
	return s, p, nil
}

// compiled is a profile's filter by itself.
func (r *reading) compiled(i *invocation, name string) (filter.Stack, error) {
	_, p, err := r.program(i, name)
	return filter.Stack{p}, err
}

// wants checks that there are as many arguments.
func (i *invocation) wants(least, most int) error {
	if err := i.parse(most); err != nil {
		return err
	}
	if i.flags.NArg() < least {
		return usageError{errors.New("an argument is missing")}
	}
	return nil
}
