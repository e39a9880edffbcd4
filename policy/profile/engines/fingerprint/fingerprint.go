package fingerprint

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Sum is the sum of a profile's parts. Profiles with the same sum have the same parts, unless
// somebody has looked for one that collides: nothing that protects a container may rest on it.
type Sum [2]uint64

// Plus returns the sum of two profiles' parts together.
func (s Sum) Plus(o Sum) Sum { return Sum{s[0] + o[0], s[1] + o[1]} }

// Minus returns the sum of the parts of s that are not in o.
func (s Sum) Minus(o Sum) Sum { return Sum{s[0] - o[0], s[1] - o[1]} }

// Template is the default profile of an engine, which has more rules for some capabilities.
type Template struct {
	// Of names the engine and its versions.
	Of string
	// Plain is the sum without capabilities.
	Plain Sum
	With  []Term
}

// Term is what capabilities of the bounding set bring if all of them are there.
type Term struct {
	All    []string
	Brings Sum
}

// Sum returns the sum of the profile for a container with the given bounding set.
func (t Template) Sum(bounding []string) Sum {
	s := t.Plain
	for _, c := range t.With {
		if !slices.ContainsFunc(c.All, func(name string) bool { return !slices.Contains(bounding, name) }) {
			s = s.Plus(c.Brings)
		}
	}
	return s
}

// errListener is the error for a profile with a listener.
var errListener = errors.New("it has a listener")

// Of returns the sum of a profile. It is an error if the profile has a listener, which no engine's
// default has.
func Of(s *specs.LinuxSeccomp) (Sum, error) {
	if s.ListenerPath != "" || s.ListenerMetadata != "" {
		return Sum{}, errListener
	}
	arches, flags := slices.Clone(s.Architectures), slices.Clone(s.Flags)
	slices.Sort(arches)
	slices.Sort(flags)
	sum := part(fmt.Sprintf("%s %d %q %q", s.DefaultAction, errno(s.DefaultAction, s.DefaultErrnoRet), slices.Compact(arches), slices.Compact(flags)))
	for _, r := range s.Syscalls {
		rule := fmt.Sprintf(" %s %d%s", r.Action, errno(r.Action, r.ErrnoRet), conditions(r.Args))
		for _, name := range r.Names {
			sum = sum.Plus(part(name + rule))
		}
	}
	return sum, nil
}

// errno returns the errno of an action; a runtime takes EPERM where none is given
// (runtime-spec, config-linux.md).
func errno(action specs.LinuxSeccompAction, number *uint) uint {
	switch {
	case action != specs.ActErrno && action != specs.ActTrace:
		return 0
	case number == nil:
		return 1
	}
	return *number
}

// conditions writes conditions, in whatever order they come, in one way.
func conditions(args []specs.LinuxSeccompArg) string {
	var out []string
	for _, a := range args {
		two := a.ValueTwo
		if a.Op != specs.OpMaskedEqual {
			two = 0 // which nothing reads
		}
		out = append(out, fmt.Sprintf(" %d %s %d %d", a.Index, a.Op, a.Value, two))
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

func part(text string) Sum {
	h := sha256.Sum256([]byte(text))
	return Sum{binary.BigEndian.Uint64(h[:]), binary.BigEndian.Uint64(h[8:])}
}
