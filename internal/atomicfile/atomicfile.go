package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// unfinished begins the names of the temporary files of a file. It is of one length for
// all, so that a name that the file system takes is taken here too.
func unfinished(path string) string {
	sum := sha256.Sum256([]byte(filepath.Base(path)))
	return prefix + hex.EncodeToString(sum[:8]) + "-"
}

// prefix begins the name of every temporary file.
const prefix = ".new-"

// abandoned is the age from which on nobody writes a temporary file any more.
const abandoned = time.Minute

// Write writes a file that only its owner can read, mode 0600. It makes the directories
// above it, for root alone.
func Write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return write(path, data, nil)
}

// Replace writes a file with the owner and the mode that old has.
func Replace(path string, data []byte, old os.FileInfo) error { return write(path, data, old) }

func write(path string, data []byte, old os.FileInfo) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), unfinished(path)+"*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if old != nil {
		if err := own(f, old); err != nil {
			return err
		}
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func own(f *os.File, old os.FileInfo) error {
	if owner, ok := old.Sys().(*syscall.Stat_t); ok {
		if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return f.Chmod(old.Mode().Perm())
}

// RemoveUnfinished removes what a Write of path left that was killed before it ended.
func RemoveUnfinished(path string) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), unfinished(path)) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// RemoveAbandoned removes what a Write of any file in dir left that was killed more than a
// minute ago, before it ended.
func RemoveAbandoned(dir string) {
	paths, _ := filepath.Glob(filepath.Join(dir, prefix+"*"))
	for _, path := range paths {
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(path)
		}
	}
}

// errNotRoots is the error for a file that somebody but root can have written.
var errNotRoots = errors.New("somebody other than root can write the file")

// ReadRoots reads a file that only root can have written: one that root owns and that
// neither group nor others may write. A symbolic link is an error.
func ReadRoots(path string) ([]byte, error) {
	var st syscall.Stat_t
	if err := syscall.Lstat(path, &st); err != nil {
		return nil, err
	}
	if st.Uid != 0 || st.Mode&0o022 != 0 || st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil, errNotRoots
	}
	return os.ReadFile(path)
}
