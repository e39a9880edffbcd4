package spec

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// FileName is the spec's name in a bundle (runtime-spec bundle.md).
const FileName = "config.json"

// Load reads the spec of the bundle at dir. The file must be a regular one,
// not a link: its name is the runtime's to open again. Errors name the file.
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
	if err := replaceFile(path, data, old); err != nil {
		return false, fmt.Errorf("spec: %w", err)
	}
	return true, nil
}

// replaceFile puts data at path by way of a temporary file, all or nothing.
func replaceFile(path string, data []byte, old os.FileInfo) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if owner, ok := old.Sys().(*syscall.Stat_t); ok {
		if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	if err := f.Chmod(old.Mode().Perm()); err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
