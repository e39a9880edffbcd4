package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/moby/sys/atomicwriter"
	"golang.org/x/sys/unix"
)

// beforeWrite is asked before each change of a file: for tests, which stop there.
var beforeWrite func(path string) error

// may returns an error if a file is not to be written any more.
func may(path string) error {
	if beforeWrite == nil {
		return nil
	}
	return beforeWrite(path)
}

// write replaces a file, or removes it for nil. A new one is its owner's to write
// and everybody's to read; an old one keeps its owner and mode, and a symlink its target.
func write(path string, data []byte) error {
	if err := may(path); err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if data == nil {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if info, err := os.Stat(path); err == nil {
		return atomicfile.Replace(path, data, info)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicwriter.WriteFile(path, data, 0o644)
}

// read is a file's bytes, nil if there is none.
func read(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && data == nil {
		data = []byte{}
	}
	return data, err
}

// kindLink is the kind of a file that is a symbolic link.
const kindLink = "link"

// get returns the bytes of a file of a kind, nil if there is none.
func get(kind, path string) ([]byte, error) {
	if kind != kindLink {
		return read(path)
	}
	target, err := os.Readlink(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if errors.Is(err, unix.EINVAL) {
		return nil, fmt.Errorf("%s is not a symbolic link; remove it", path)
	}
	return []byte(target), err
}

// put replaces or removes a file of a kind.
func put(kind, path string, data []byte) error {
	if kind != kindLink {
		return write(path, data)
	}
	if err := may(path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if data == nil {
		_ = os.Remove(filepath.Dir(path)) // if nothing else is in it
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Symlink(string(data), path)
}
