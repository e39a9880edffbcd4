package policy

import (
	"crypto/sha256"
	"sync"

	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// maxIntersections is how many results a policy remembers. The containers of a pod that
// bring more profiles than that are computed again.
const maxIntersections = 16

// intersections is a cache of what [floor.Floor] and [floor.Edit] returned: the containers of a pod
// mostly bring the same profile. The zero value is ready to use, from several
// goroutines.
type intersections struct {
	mu    sync.Mutex
	known map[[2][sha256.Size]byte]intersection // guarded by mu
}

type intersection struct {
	result floor.Floored
	notes  []string
	err    error
}

// edit returns what floor.Edit returns, which callers must not change.
func (c *intersections) edit(base specs.LinuxSeccomp, edits semantics.Edits, computed Computed) (specs.LinuxSeccomp, []string, error) {
	rules := edits.Encode() // without a default action, which no profile lacks
	key := [2][sha256.Size]byte{sha256.Sum256(profile.Encode(rules)), sha256.Sum256(profile.Encode(base))}
	i := c.remembered(key, func() (i intersection) {
		i.result, i.notes, i.err = editOf(base, edits, computed)
		return i
	})
	return i.result.Seccomp, i.notes, i.err
}

// intersect returns what floor.Floor returns, which callers must not change.
func (c *intersections) intersect(under, base specs.LinuxSeccomp, computed Computed) (floor.Floored, []string, error) {
	key := [2][sha256.Size]byte{sha256.Sum256(profile.Encode(under)), sha256.Sum256(profile.Encode(base))}
	i := c.remembered(key, func() (i intersection) {
		i.result, i.notes, i.err = floorOf(under, base, computed)
		return i
	})
	return i.result, i.notes, i.err
}

// remembered returns what compute returned for the key, now or before.
func (c *intersections) remembered(key [2][sha256.Size]byte, compute func() intersection) intersection {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.known[key]; ok {
		return i
	}
	i := compute()
	if c.known == nil || len(c.known) >= maxIntersections {
		c.known = make(map[[2][sha256.Size]byte]intersection)
	}
	c.known[key] = i
	return i
}
