package enforce

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Brought returns the filter in a spec, without the seal that an earlier call of Prepare put
// there. It is nil for no filter, and for one that filters nothing.
func Brought(s *spec.Spec) (*specs.LinuxSeccomp, error) {
	brought, err := profile.Decode(s.Seccomp)
	if err != nil || brought == nil {
		return nil, err
	}
	bare := profile.Unseal(*brought)
	if profile.FiltersNothing(&bare) {
		return nil, nil
	}
	return &bare, nil
}

// brought returns the filter that the container brings, and the digest of its linux.seccomp.
// They are nil and None if the container brings no filter, or one that filters nothing, or
// only the filter that an earlier call of Prepare put there.
func (e *Enforcer) brought(c Container, s *spec.Spec) (*specs.LinuxSeccomp, string, error) {
	brought, err := Brought(s)
	if err != nil {
		return nil, "", fmt.Errorf("spec %q: linux.seccomp: %w", filepath.Join(c.Bundle, "config.json"), err)
	}
	if brought == nil {
		return nil, record.None, nil
	}
	asked := Digest(s.Seccomp)
	old, err := e.Records.Read(c.owner(), c.ID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, "", err
	case old.Bundle == c.Bundle && old.Result == asked: // an earlier Prepare wrote it
		if old.Asked == record.None {
			return nil, record.None, nil
		}
		if old.Denials.Seen() {
			return nil, "", fmt.Errorf("spec %q holds the profile that an earlier attempt put there, and no longer the one that the container brings; create the container anew", filepath.Join(c.Bundle, "config.json"))
		}
		asked = old.Asked
	}
	return brought, asked, nil
}
