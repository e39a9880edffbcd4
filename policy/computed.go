package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Computed keeps what takes milliseconds to compute, intersections and observing profiles,
// from one container to the next. Whoever can write what it keeps can choose what containers run
// under: it must be as hard to change as the policy.
type Computed interface {
	// Get returns what Put was given under a key, nil if that is not there any more.
	Get(key string) []byte
	Put(key string, data []byte)
}

// keyOf names a computation by all that it depends on.
func keyOf(what string, parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d ", len(part))
		h.Write(part)
	}
	return what + "-" + hex.EncodeToString(h.Sum(nil))
}

// kept is what Computed has of a computation. The profile is encoded as runtimes read it: a
// list of flags that is empty is not one that is missing.
type kept struct {
	Seccomp      json.RawMessage  `json:"seccomp,omitempty"`
	Unchanged    bool             `json:"unchanged,omitempty"`
	Notes        []string         `json:"notes,omitempty"`
	Unseen       []observe.Unseen `json:"unseen,omitempty"`
	Instructions int              `json:"instructions,omitempty"`
}

// recall returns what c has under a key. ok is false if there is nothing, or nothing that
// can be read.
func recall(c Computed, key string) (k kept, s *specs.LinuxSeccomp, ok bool) {
	if c == nil {
		return k, nil, false
	}
	data := c.Get(key)
	if len(data) == 0 || json.Unmarshal(data, &k) != nil {
		return kept{}, nil, false
	}
	if k.Unchanged {
		return k, nil, true
	}
	s, err := profile.Decode(k.Seccomp)
	return k, s, err == nil && s != nil
}

func keep(c Computed, key string, k kept) {
	if c == nil {
		return
	}
	if data, err := json.Marshal(k); err == nil {
		c.Put(key, data)
	}
}

// floorOf returns what floor.Floor returns, computed now or before.
func floorOf(under, base specs.LinuxSeccomp, c Computed) (floor.Floored, []string, error) {
	key := keyOf("floor", profile.Encode(under), profile.Encode(base))
	if k, s, ok := recall(c, key); ok {
		if k.Unchanged {
			return floor.Floored{Seccomp: base, Unchanged: true}, k.Notes, nil
		}
		return floor.Floored{Seccomp: *s}, k.Notes, nil
	}
	out, notes, err := floor.Floor(under, base, floor.Limits{})
	if err != nil {
		return out, notes, err
	}
	k := kept{Unchanged: out.Unchanged, Notes: notes}
	if !out.Unchanged {
		k.Seccomp = profile.Encode(out.Seccomp)
	}
	keep(c, key, k)
	return out, notes, nil
}

// editOf returns what floor.Edit returns, computed now or before.
func editOf(base specs.LinuxSeccomp, edits semantics.Edits, c Computed) (floor.Floored, []string, error) {
	key := keyOf("edit", profile.Encode(edits.Encode()), profile.Encode(base))
	if k, s, ok := recall(c, key); ok && s != nil {
		return floor.Floored{Seccomp: *s}, k.Notes, nil
	}
	out, notes, err := floor.Edit(base, edits, floor.Limits{})
	if err == nil {
		keep(c, key, kept{Seccomp: profile.Encode(out), Notes: notes})
	}
	return floor.Floored{Seccomp: out}, notes, err
}

// twinOf returns what observe.Profile returns, computed now or before.
func twinOf(r observe.Request, c Computed) (*observe.Observed, error) {
	runtime, err := json.Marshal(r.Runtime)
	if err != nil {
		return nil, err
	}
	key := keyOf("observe", profile.Encode(r.Seccomp), fmt.Appendf(nil, "%d %t %t", r.Mode, r.Beside, r.Killable), runtime)
	if k, s, ok := recall(c, key); ok {
		return observe.Known(r, *s, k.Unseen, k.Instructions), nil
	}
	out, err := observe.Profile(r)
	if err != nil {
		return nil, err
	}
	keep(c, key, kept{Seccomp: profile.Encode(out.Seccomp), Unseen: out.Unseen, Instructions: out.Instructions})
	return out, nil
}
