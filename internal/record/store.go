package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/internal/names"
	"golang.org/x/sys/unix"
)

// Store is a directory of records.
type Store struct{ Dir string }

// path returns the file of one container.
func (r Store) path(owner, id string) (string, error) { return r.file(owner, id, ".json") }

// Denials returns the path of the file that internal/denials keeps of a container.
func (r Store) Denials(owner, id string) (string, error) { return r.file(owner, id, DenialsEnding) }

// file returns a file of one container. Both names must be plain file names: containerd
// checks that, other engines may not.
func (r Store) file(owner, id, ending string) (string, error) {
	for _, name := range []string{owner, id} {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			return "", fmt.Errorf("%q cannot be a containerd namespace or container id", name)
		}
	}
	return filepath.Join(r.Dir, owner, id+ending), nil
}

// Endings of the files that a container has beside its record, and that go with it.
const (
	DenialsEnding = ".denials" // what internal/denials keeps
	socketEnding  = ".sock"
)

// Socket returns the path of a container's listener. It is short enough for unix(7), except
// in containerd namespaces with names of more than 70 bytes.
func (r Store) Socket(owner, id string) (string, error) {
	path, err := r.path(owner, id)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(filepath.Dir(path), hex.EncodeToString(sum[:8])+socketEnding), nil
}

// Write writes a record in place of the container's old one, whole or not at all.
func (r Store) Write(rec *Record) error {
	path, err := r.path(rec.Owner(), rec.ID)
	if err != nil {
		return err
	}
	data, err := rec.stored()
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(data, '\n'))
}

// updating is the ending of a file that is about to be exchanged with a record.
const updating = "~"

// Update replaces the record of a container. If the record was removed meanwhile, it stays
// removed, and Update returns no error.
func (r Store) Update(rec *Record) error {
	path, err := r.path(rec.Owner(), rec.ID)
	if err != nil {
		return err
	}
	data, err := rec.stored()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	next := path + updating
	if err := atomicfile.Write(next, append(data, '\n')); err != nil {
		return err
	}
	// The exchange fails if the record is gone.
	err = unix.Renameat2(unix.AT_FDCWD, next, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // not on every file system
		return os.Rename(next, path)
	}
	_ = os.Remove(next)
	if errors.Is(err, fs.ErrNotExist) {
		_ = os.Remove(filepath.Dir(path))
		return nil
	}
	return err
}

// Read returns the record of one container; fs.ErrNotExist if there is none.
func (r Store) Read(owner, id string) (*Record, error) {
	path, err := r.path(owner, id)
	if err != nil {
		return nil, err
	}
	return readRecord(path)
}

func readRecord(path string) (*Record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rec := new(Record)
	if err := json.Unmarshal(data, rec); err != nil {
		return nil, fmt.Errorf("record %q: %w", path, err)
	}
	if rec.Closed, err = readClosed(path); err != nil {
		return nil, err
	}
	if r := rec.Runtime; rec.OCIRuntime == "" && r != names.RuntimeType && r != names.Wrapper { // a shim that is older than this field wrote the binary there
		rec.OCIRuntime, rec.Runtime = rec.Runtime, names.RuntimeType
		if rec.Call != nil {
			rec.Runtime = names.Wrapper
		}
	}
	return rec, nil
}

// Remove removes the record of a container. It is not an error if there is none.
func (r Store) Remove(owner, id string) error {
	path, err := r.path(owner, id)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A process that was killed while writing or updating the record may have left these.
	atomicfile.RemoveUnfinished(path)
	atomicfile.RemoveUnfinished(path + updating)
	_ = os.Remove(path + updating)
	atomicfile.RemoveUnfinished(closedOf(path))
	_ = os.Remove(closedOf(path))
	if seen, err := r.Denials(owner, id); err == nil {
		atomicfile.RemoveUnfinished(seen)
		_ = os.Remove(seen)
	}
	if socket, err := r.Socket(owner, id); err == nil {
		_ = os.Remove(socket)
	}
	dir := filepath.Dir(path)
	// Removes the directory if this was the owner's last record.
	_ = os.Remove(dir)
	return nil
}
