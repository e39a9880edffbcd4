package denials

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/internal/record"
)

// Store is the directory of the counts, which is that of the records: each container has a
// file of both.
type Store struct{ Dir string }

// maxFile bounds the files that are read. maxKinds need less: names that processes
// give themselves are cut at maxName.
const maxFile = 4 << 20

// path returns the file of one container.
func (s Store) path(owner, id string) (string, error) {
	return record.Store(s).Denials(owner, id)
}

// Write writes the counts of a container in place of its old ones, whole or not at all.
func (s Store) Write(c *Counts) error {
	path, err := s.path(c.Owner, c.ID)
	if err != nil {
		return err
	}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(data, '\n'))
}

// Read returns the counts of one container. The error is fs.ErrNotExist if there are none.
func (s Store) Read(owner, id string) (*Counts, error) {
	path, err := s.path(owner, id)
	if err != nil {
		return nil, err
	}
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	var c *Counts
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("denials %q: %w", path, err)
	}
	if c == nil {
		return nil, fmt.Errorf("denials %q: null, which Batten does not write", path)
	}
	if c.Owner != owner || c.ID != id {
		return nil, fmt.Errorf("denials %q: the file is of container %q of %q", path, c.ID, c.Owner)
	}
	if c.Broken == "" && s.deserted(owner, id) {
		c.Broken = because(c.Answer, errDeserted)
	}
	return c, nil
}

// readBounded reads a regular file. It follows no symbolic link and waits for nobody.
func readBounded(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) { // open(2): O_NOFOLLOW
		return nil, fmt.Errorf("denials %q: a symbolic link, so Batten did not write it", path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("denials %q: not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("denials %q: larger than %d bytes, so Batten did not write it", path, maxFile)
	}
	return data, nil
}

// List returns the counts of all containers, in the order of owners and ids. It returns what
// it could read also if there is an error, which names each file that it could not. A directory
// that is missing has none.
func (s Store) List() (all []*Counts, err error) {
	owners, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var wrong []error
	for _, owner := range owners {
		if !owner.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(s.Dir, owner.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			wrong = append(wrong, err)
		}
		for _, f := range files {
			id, ours := strings.CutSuffix(f.Name(), record.DenialsEnding)
			if !ours {
				continue
			}
			c, err := s.Read(owner.Name(), id)
			switch {
			case err == nil:
				all = append(all, c)
			case !errors.Is(err, fs.ErrNotExist): // else the container was deleted meanwhile
				wrong = append(wrong, err)
			}
		}
	}
	return slices.Clip(all), errors.Join(wrong...)
}

// Remove removes the counts of a container. It is not an error if there are none.
func (s Store) Remove(owner, id string) error {
	path, err := s.path(owner, id)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A process that was killed while writing may have left this.
	atomicfile.RemoveUnfinished(path)
	// Removes the directory if this was the owner's last file.
	_ = os.Remove(filepath.Dir(path))
	return nil
}
