package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ReadFile reads a file of at most limit bytes that only root can change. It waits at most
// [Patience]. Errors do not name the file; a missing file is fs.ErrNotExist.
func ReadFile(path string, limit int64) ([]byte, error) {
	type outcome struct {
		data []byte
		err  error
	}
	got, err := within(func() outcome {
		_, data, _, err := Loader{}.readFile(path, limit)
		return outcome{data, err}
	})
	if err != nil {
		return nil, err
	}
	return got.data, got.err
}

// Patience is how long a file system may take to answer. If a disk or a server hangs for
// longer, that is an error: a container that waits without end would block the kubelet.
const Patience = 10 * time.Second

// within returns what f returns, or an error if f does not return in time. F then keeps
// running: nothing can end a system call that the kernel does not answer.
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
	if err := onlyRoot(path, info, false); err != nil {
		return err
	}
	return trustedBelow(filepath.Dir(path))
}

// trustedBelow is trusted for a file in dir, whether or not the file exists.
func trustedBelow(dir string) error {
	for nearest := true; ; nearest = false {
		info, err := os.Lstat(dir)
		if err != nil {
			return cause(err)
		}
		if err := onlyRoot(dir, info, !nearest); err != nil {
			return fmt.Errorf("directory %q: %w", dir, err)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

// onlyRoot returns an error unless only root can change the file of info, which is at path.
// The error ends with the command that repairs it.
func onlyRoot(path string, info fs.FileInfo, stickyWillDo bool) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("owner unknown")
	}
	if owner.Uid != 0 {
		return fmt.Errorf("is owned by user %d; it decides what containers may do: chown root %s", owner.Uid, quoted(path))
	}
	if info.Mode().Perm()&0o022 != 0 && !(stickyWillDo && info.Mode()&fs.ModeSticky != 0) {
		return fmt.Errorf("has mode %04o; others than root can change it: chmod go-w %s", info.Mode().Perm(), quoted(path))
	}
	return nil
}

// quoted returns path as one word of a shell.
func quoted(path string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%,=", r)
	}
	if strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
