package block

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/batten-runtime/batten/policy"
	"github.com/moby/sys/atomicwriter"
)

// Demand returns a policy that demands the block of a drop-in of every container, and nothing
// else.
func Demand(path string, text []byte) (*policy.Policy, error) {
	own, findings := policy.ParseDropIn(path, text, nil)
	if err := findings.Err(); err != nil {
		return nil, err
	}
	return policy.Alone(own), nil
}

// ErrOther is the error for a drop-in of that name which blocks something else.
var ErrOther = errors.New("there is another drop-in of this name")

// Write writes a drop-in, which holds from the next container on, whole or not at all. It is no
// error if the drop-in is there already.
func Write(path string, text []byte) error {
	there, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(there, text):
		return nil
	case err == nil:
		return fmt.Errorf("%s: %w", path, ErrOther)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicwriter.WriteFile(path, text, 0o644)
}

// ErrForeign is the error for a drop-in that batten block has not written.
var ErrForeign = errors.New("batten block has not written it")

// Remove removes a drop-in that batten block has written.
func Remove(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if _, ok := Asked(text); !ok {
		return fmt.Errorf("%s: %w", path, ErrForeign)
	}
	return os.Remove(path)
}

// Written is a drop-in that batten block has written.
type Written struct {
	Name string `json:"name"`
	Path string `json:"path"`
	// Asked is what batten block was called with.
	Asked string    `json:"asked"`
	Since time.Time `json:"since"`
}

// List returns the drop-ins of a directory that batten block has written, by name. A directory
// that is missing has none.
func List(dir string) (out []Written, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		name, ours := strings.CutSuffix(e.Name(), ".yaml")
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path) // a drop-in may be a link
		if !ours || strings.HasPrefix(name, ".") || err != nil || !info.Mode().IsRegular() {
			continue // it is not read, or batten check says what is wrong
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if asked, ok := Asked(text); ok {
			out = append(out, Written{Name: name, Path: path, Asked: asked, Since: info.ModTime().UTC()})
		}
	}
	return out, err
}
