package install

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/sys/atomicwriter"
	"github.com/rogpeppe/go-internal/diff"
)

// DefaultDir is where it is kept what was installed, and what was there before.
const DefaultDir = "/etc/batten/install"

// Plan is what becomes of one file.
type Plan struct {
	// Target is containerd, docker or podman, File its configuration.
	Target, File string
	// Before and After are the file's bytes; nil where there is no file.
	Before, After []byte
	// Notes say what else to know or to do.
	Notes []string

	now   []byte // what the file holds, which Before may have been taken out of
	state *state // what Apply remembers; nil to forget the target
	check func() error
}

// Unchanged reports whether there is nothing to do.
func (p *Plan) Unchanged() bool {
	return bytes.Equal(p.now, p.After) && (p.now == nil) == (p.After == nil)
}

// Diff is the plan as a unified diff, empty if there is nothing to do.
func (p *Plan) Diff() []byte {
	return diff.Diff(p.File, p.now, p.File+" (new)", p.After)
}

// Apply carries the plan out and remembers it below dir. Where the engine does
// not accept the result the file is put back as it was.
func (p *Plan) Apply(dir string) error {
	if err := p.remember(dir); err != nil {
		return err
	}
	if err := write(p.File, p.After); err != nil {
		return err
	}
	if p.check != nil {
		if err := p.check(); err != nil {
			back := write(p.File, p.now)
			if bytes.Equal(p.now, p.Before) {
				back = errors.Join(back, p.forget(dir))
			}
			return errors.Join(fmt.Errorf("%s is put back as it was: %w", p.File, err), back)
		}
	}
	if p.state == nil {
		return p.forget(dir)
	}
	return nil
}

// write replaces a file, or removes it for nil. A new one is its owner's to write
// and everybody's to read; an old one keeps its mode, and a symlink its target.
func write(path string, data []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if data == nil {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicwriter.WriteFile(path, data, mode)
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

// state is what is remembered of a target.
type state struct {
	File string `json:"file"`
	// Existed is unset where there was no file; Before is its former bytes.
	Existed bool   `json:"existed"`
	Before  []byte `json:"before"`
	// After is the SHA-256 of what was written.
	After string `json:"after"`
	// Handler, Default and Former are what to take out of a changed file.
	Handler string `json:"handler"`
	Default bool   `json:"default"`
	Former  string `json:"former,omitempty"`
}

func statePath(dir, target string) string { return filepath.Join(dir, target+".json") }

func load(dir, target string) (*state, error) {
	path := statePath(dir, target)
	data, err := read(path)
	if data == nil || err != nil {
		return nil, err
	}
	s := &state{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("what was installed is not to be read: %q: %w; remove the file, and Batten's part of the configuration by hand", path, err)
	}
	return s, nil
}

func (p *Plan) remember(dir string) error {
	if p.state == nil {
		return nil
	}
	p.state.File, p.state.Existed, p.state.Before, p.state.After = p.File, p.Before != nil, p.Before, digest(p.After)
	data, err := json.MarshalIndent(p.state, "", "  ")
	if err != nil {
		return err
	}
	return write(statePath(dir, p.Target), append(data, '\n'))
}

func (p *Plan) forget(dir string) error {
	if err := write(statePath(dir, p.Target), nil); err != nil {
		return err
	}
	_ = os.Remove(dir) // if nothing else is in it
	return nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// base is what file was before Batten, whether or not it is in there now: now
// is what the file holds, and takeOut makes of it what Undo would.
func base(dir, target, file string, takeOut func(*state, []byte) ([]byte, error)) (before, now []byte, err error) {
	if now, err = read(file); err != nil {
		return nil, nil, err
	}
	s, err := load(dir, target)
	if s == nil || err != nil {
		return now, now, err
	}
	if s.File != file {
		return nil, nil, fmt.Errorf("the configuration with Batten in it is %q; uninstall it there first", s.File)
	}
	before, err = s.undo(now, takeOut)
	return before, now, err
}

// undo is now without what was installed.
func (s *state) undo(now []byte, takeOut func(*state, []byte) ([]byte, error)) ([]byte, error) {
	switch {
	case now == nil:
		return nil, nil
	case digest(now) != s.After:
		return takeOut(s, now)
	case !s.Existed:
		return nil, nil
	case s.Before == nil:
		return []byte{}, nil
	}
	return s.Before, nil
}

// ErrNotInstalled is what Undo returns where there is nothing to undo.
var ErrNotInstalled = errors.New("is not installed")

// Undo is the plan that takes Batten out of a target again.
func Undo(dir, target string) (*Plan, error) {
	s, err := load(dir, target)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("%s: %w", target, ErrNotInstalled)
	}
	p := &Plan{Target: target, File: s.File}
	if p.now, err = read(s.File); err != nil {
		return nil, err
	}
	p.Before = p.now
	takeOut := map[string]func(*state, []byte) ([]byte, error){
		"containerd": takeOutTOML, "docker": takeOutJSON, "podman": takeOutDropIn,
	}[target]
	if p.After, err = s.undo(p.now, takeOut); err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	if p.now != nil && digest(p.now) != s.After {
		p.Notes = append(p.Notes, p.File+" was changed since Batten was installed; only Batten's part is taken out")
	}
	return p, nil
}
