package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Trusted returns an error unless only root can change what path leads to.
func Trusted(path string) error {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return cause(err)
	}
	return trusted(resolved)
}

// trusted returns an error unless only root can change the file at path,
// which has no symlinks left, or put another in its place: as sshd's
// StrictModes, for the file and every directory above it. Directories above
// the nearest may be writable by all where the sticky bit keeps others from
// renaming what is in them, as in /tmp.
func trusted(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return cause(err)
	}
	if err := onlyRoot(info, false); err != nil {
		return err
	}
	return trustedBelow(filepath.Dir(path))
}

// trustedBelow is trusted for what is, or is not, in the directory dir.
func trustedBelow(dir string) error {
	for nearest := true; ; nearest = false {
		info, err := os.Lstat(dir)
		if err != nil {
			return cause(err)
		}
		if err := onlyRoot(info, !nearest); err != nil {
			return fmt.Errorf("directory %q: %w", dir, err)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

func onlyRoot(info fs.FileInfo, stickyWillDo bool) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("owner unknown")
	}
	if owner.Uid != 0 {
		return fmt.Errorf("is owned by user %d; it decides what containers may do: chown root it", owner.Uid)
	}
	if info.Mode().Perm()&0o022 != 0 && !(stickyWillDo && info.Mode()&fs.ModeSticky != 0) {
		return fmt.Errorf("has mode %04o; others than root can change it: chmod go-w it", info.Mode().Perm())
	}
	return nil
}
