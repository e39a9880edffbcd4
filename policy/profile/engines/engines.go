package engines

import (
	"github.com/batten-runtime/batten/policy/profile/engines/fingerprint"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Default names the engine, and its versions, whose default profile s is for a container with the
// given bounding set on a machine like this one, such as "containerd 2.2.1 to 2.4.2". It is empty
// if s is the default of no engine that is known.
//
// Whoever writes a profile can have it pass for a default, of course by writing the default itself:
// nothing may be granted for it that a container which asks for nothing does not get.
func Default(s *specs.LinuxSeccomp, bounding []string) string {
	sum, err := fingerprint.Of(s)
	if err != nil {
		return ""
	}
	for _, t := range known {
		if t.Sum(bounding) == sum {
			return t.Of
		}
	}
	return ""
}

// Same reports whether two profiles say the same of each call.
func Same(a, b *specs.LinuxSeccomp) bool {
	x, errX := fingerprint.Of(a)
	y, errY := fingerprint.Of(b)
	return errX == nil && errY == nil && x == y
}
