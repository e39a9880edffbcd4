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

// readBrought fills in the filter that the container brings, and the digest of its linux.seccomp.
// They are nil and None if the container brings no filter, or one that filters nothing, or
// only the filter that an earlier call of Prepare put there.
func (e *Enforcer) readBrought(a *asking) error {
	a.asked = record.None
	brought, err := Brought(a.spec)
	if err != nil {
		return fmt.Errorf("spec %q: linux.seccomp: %w", filepath.Join(a.Bundle, "config.json"), err)
	}
	if brought == nil {
		return nil
	}
	asked := Digest(a.spec.Seccomp)
	old, err := e.Records.Read(a.owner(), a.ID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case old.Bundle == a.Bundle && old.Result == asked: // an earlier Prepare wrote it
		if old.Asked == record.None {
			return nil
		}
		if old.Denials.Seen() {
			return fmt.Errorf("spec %q holds the profile that an earlier attempt put there, and no longer the one that the container brings; create the container anew", filepath.Join(a.Bundle, "config.json"))
		}
		asked, a.request.Default = old.Asked, old.Default
	}
	a.brought, a.asked = brought, asked
	return nil
}
