package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
)

// MaxSize is the largest policy that Batten reads, in bytes.
const MaxSize = 4 << 20

// Loader reads policies from files.
type Loader struct {
	// AnyOwner reads files whoever may change them: for checking a draft
	// before it is put in place, never for deciding.
	AnyOwner bool
	// Quick leaves out the search for rules that are never reached, which
	// takes longer than all the rest where there are many.
	Quick bool
}

// Load reads the policy at path and its profiles. Without a file at
// DefaultPath the embedded default is the policy; any other path must exist.
func Load(path string) (*Policy, document.Findings) {
	p, _, findings := Loader{}.load(path)
	return p, findings
}

// Load is [Load] by the loader's rules.
func (l Loader) Load(path string) (*Policy, document.Findings) {
	p, _, findings := l.load(path)
	return p, findings
}

// load also returns a stamp for each file that was looked at, by which a
// change of any of them shows.
func (l Loader) load(path string) (*Policy, []stamp, document.Findings) {
	data, first, err := l.readFile(path, MaxSize)
	stamps := []stamp{first}
	switch {
	case errors.Is(err, fs.ErrNotExist) && path == DefaultPath:
		return unwritten(BuiltinPath, []byte(Builtin)), stamps, nil
	case err != nil:
		return nil, nil, document.Findings{{What: "policy", File: path, Message: err.Error()}}
	}
	read := func(file string) (string, []byte, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(path), file)
		}
		data, stamp, err := l.readFile(file, profile.MaxSize)
		stamps = append(stamps, stamp)
		if err != nil {
			err = fmt.Errorf("profile %q: %w", file, err)
		}
		return file, data, err
	}
	p, findings := parse(path, data, read, l.Quick)
	return p, stamps, findings
}

// readFile reads a file of at most limit bytes that only root can change. Its
// errors do not name the file.
func (l Loader) readFile(path string, limit int64) ([]byte, stamp, error) {
	// What is missing or not trusted is stamped too: it may change.
	result := stampOf(path)
	resolved, err := l.resolve(path)
	if err != nil {
		return nil, result, err
	}
	data, err := readRegular(resolved, limit)
	return data, result, cause(err)
}

// readRegular reads a regular file whole, as it was at one moment. It waits for
// no writer of a FIFO, and follows no link.
func readRegular(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	if before.Size() > limit {
		return nil, fmt.Errorf("%d bytes are more than the %d that Batten reads", before.Size(), limit)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != before.Size() || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return nil, errors.New("was changed while it was read: put a new file in its place by renaming it")
	}
	return data, nil
}

// resolve follows symlinks and checks that the file is to be trusted. Where it
// is missing the directory must be: else somebody may have removed it.
func (l Loader) resolve(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return "", errors.New("is a symbolic link to nothing")
		}
		if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil && !l.AnyOwner {
			if err := trustedBelow(dir); err != nil {
				return "", err
			}
		}
	}
	if err != nil {
		return "", cause(err)
	}
	if !l.AnyOwner {
		err = trusted(resolved)
	}
	return resolved, err
}

// cause is err without the operation and path that package os puts before it.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
