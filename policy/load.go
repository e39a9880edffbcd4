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
	"github.com/batten-runtime/batten/policy/semantics"
)

// MaxSize is the largest policy that Batten reads, in bytes.
const MaxSize = 4 << 20

// Loader reads policies from files.
type Loader struct {
	// AnyOwner reads files whoever owns them and may write them. It is for checking a
	// draft, never for deciding about a container.
	AnyOwner bool
	// Quick leaves out the search for rules that are never reached. With many rules it
	// takes longer than everything else.
	Quick bool
	// DropIns is the directory of the drop-ins; empty means [DropInDir].
	DropIns string
}

// Load reads the policy at path and its profiles. Without a file at
// DefaultPath the embedded default is the policy; any other path must exist.
func Load(path string) (*Policy, document.Findings) {
	p, _, findings := Loader{}.load(path)
	return p, findings
}

// Load reads the policy at path as [Load] does, with the loader's options.
func (l Loader) Load(path string) (*Policy, document.Findings) {
	p, _, findings := l.load(path)
	return p, findings
}

// load also returns a stamp of each file that it looked at. If one of the files changes,
// its stamp does, too.
func (l Loader) load(path string) (*Policy, []stamp, document.Findings) {
	p, stamps, findings := l.policy(path)
	if p == nil {
		return nil, nil, findings
	}
	more, found := l.dropIns(p)
	if findings = append(findings, found...); findings.Err() != nil {
		return nil, nil, findings
	}
	return p, append(stamps, more...), findings
}

// policy is load without drop-ins.
func (l Loader) policy(path string) (*Policy, []stamp, document.Findings) {
	resolved, data, first, err := l.readFile(path, MaxSize)
	stamps := []stamp{first}
	switch {
	case errors.Is(err, fs.ErrNotExist) && path == DefaultPath:
		return unwritten(BuiltinPath, []byte(Builtin)), stamps, nil
	case err != nil:
		return nil, nil, document.Findings{{What: "policy", File: path, Message: err.Error()}}
	}
	// If path is a symbolic link, profiles are relative to its target: so a policy and
	// its profiles change at the same moment, when the link does.
	p, findings := parse(path, data, l.profiles(filepath.Dir(resolved), &stamps), l.Quick)
	return p, stamps, findings
}

// profiles returns what reads the profiles that a file in dir names, and adds their stamps.
func (l Loader) profiles(dir string, stamps *[]stamp) ReadProfile {
	return func(file string) (string, []byte, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		_, data, stamp, err := l.readFile(file, semantics.MaxSize)
		*stamps = append(*stamps, stamp)
		if err != nil {
			err = fmt.Errorf("profile %q: %w", file, err)
		}
		return file, data, err
	}
}

// readFile reads a file of at most limit bytes that only root can change, and
// returns its path without symbolic links too. Its errors do not name the file.
func (l Loader) readFile(path string, limit int64) (string, []byte, stamp, error) {
	// A file that is missing or not trusted has a stamp, too: it may change.
	result := stampOf(path)
	resolved, err := l.resolve(path)
	if err != nil {
		return "", nil, result, err
	}
	data, err := readRegular(resolved, limit)
	return resolved, data, result, cause(err)
}

// readRegular reads a regular file whole, as it was at one moment. It does not wait for
// the writer of a FIFO, and follows no symbolic link.
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

// resolve follows symbolic links and checks that only root can change the file. If the file
// is missing, it checks the directory: somebody else might have removed the file.
func (l Loader) resolve(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return "", errors.New("is a symbolic link to nothing")
		}
		if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil && !l.AnyOwner {
			if err := trustedBelow(dir); err != nil {
				return "", fmt.Errorf("does not exist, and others can put one there: %w", err)
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

// cause returns err without the operation and path that package os puts before it.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
