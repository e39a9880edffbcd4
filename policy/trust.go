package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ReadFile reads a file of at most limit bytes that only root can change, and
// waits no longer for it than [Patience]. Errors do not name the file; one for a
// file that is not there is fs.ErrNotExist.
func ReadFile(path string, limit int64) ([]byte, error) {
	type outcome struct {
		data []byte
		err  error
	}
	got, err := within(func() outcome {
		data, _, err := Loader{}.readFile(path, limit)
		return outcome{data, err}
	})
	if err != nil {
		return nil, err
	}
	return got.data, got.err
}

// Patience is how long a file system may take to answer. Who waits for longer,
// on a disk or a server that hangs, is told so: a container that waits for ever
// blocks the kubelet, too.
const Patience = 10 * time.Second

// within is what f returns, or an error where it does not return in time. F then
// goes on, since nothing ends a call that the kernel does not answer.
func within[T any](f func() T) (T, error) {
	done := make(chan T, 1)
	go func() { done <- f() }()
	patience := time.NewTimer(Patience)
	defer patience.Stop()
	select {
	case v := <-done:
		return v, nil
	case <-patience.C:
		var none T
		return none, fmt.Errorf("was not read within %v: the file system that it is on does not answer", Patience)
	}
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
