package enforce

import (
	"fmt"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/version"
	"github.com/batten-runtime/batten/spec"
)

// given names the profile that the runtime was given, but for the path of Batten's listener,
// which each container has of its own and no filter has.
func given(r *record.Record) string {
	if !r.Denials.Seen() {
		return r.Result
	}
	return fmt.Sprintf("%s %s, seen by %s of %s: %s", r.Asked, r.Denials.Profile, version.Version, r.OCIRuntime, r.Denials.Answer)
}

// written returns the linux.seccomp that the runtime was given. The process that wrote
// it remembers it; another one finds it in config.json, where somebody may have put
// another in its place.
func written(r *record.Record) ([]byte, error) {
	if r.Written != nil {
		return r.Written, nil
	}
	s, err := spec.Load(r.Bundle)
	if err != nil {
		return nil, fmt.Errorf("has a profile that cannot be read: %w", err)
	}
	if Digest(s.Seccomp) != r.Result {
		return nil, &differs{fmt.Sprintf("%s no longer holds the profile that Batten put there", filepath.Join(r.Bundle, spec.FileName))}
	}
	return s.Seccomp, nil
}
