package spec

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/batten-runtime/batten/internal/atomicfile"
)

// FileName is the spec's name in a bundle (runtime-spec bundle.md).
const FileName = "config.json"

// Load reads the spec of the bundle at dir. The file must be a regular file and no link,
// because the runtime opens it again by its name. Errors name the file.
func Load(dir string) (*Spec, error) {
	path := filepath.Join(dir, FileName)
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("spec %q: not a regular file", path)
	}
	if info.Size() > MaxSize {
		return nil, fmt.Errorf("spec %q: %d bytes are more than the %d that Batten reads; make the spec smaller", path, info.Size(), MaxSize)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	s, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("spec %q:%w", path, err)
	}
	return s, nil
}

// Rewrite splices seccomp into the spec of the bundle at dir and reports
// whether the file changed. It writes a new file beside the old one, with the
// old one's mode and owner, and renames it: a reader sees one or the other.
func (s *Spec) Rewrite(dir string, seccomp []byte) (changed bool, err error) {
	data := s.Splice(seccomp)
	if bytes.Equal(data, s.data) {
		return false, nil
	}
	path := filepath.Join(dir, FileName)
	old, err := os.Lstat(path)
	if err != nil {
		return false, fmt.Errorf("spec: %w", err)
	}
	if err := atomicfile.Replace(path, data, old); err != nil {
		return false, fmt.Errorf("spec: %w", err)
	}
	return true, nil
}
