package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/rogpeppe/go-internal/diff"
)

// DefaultDir is where it is kept what was installed, and what was there before.
const DefaultDir = names.Config + "/install"

// Plan is what becomes of one file.
type Plan struct {
	// Target is containerd, docker or podman, File its configuration.
	Target, File string
	// Before and After are the file's bytes; nil where there is no file.
	Before, After []byte
	// Unit is the service to restart, if it is known.
	Unit string
	// Notes say what else to know or to do.
	Notes []string

	now   []byte // what the file holds, which Before may have been taken out of
	state *state // what Apply remembers; nil to forget the target
	// before is asked before anything is written, check afterwards.
	before, check func() error

	runtime string // of CRIO: the runtime that the wrapped handler has

	undone *state // what was remembered of what Undo takes out
}

// Unchanged reports whether there is nothing to do.
func (p *Plan) Unchanged() bool {
	return bytes.Equal(p.now, p.After) && (p.now == nil) == (p.After == nil)
}

// Default reports whether Batten is the engine's default once the plan is applied.
func (p *Plan) Default() bool { return p.state != nil && p.state.Default }

// AllRuntimes reports whether the plan goes with those of AllRuntimes.
func (p *Plan) AllRuntimes() bool { return p.state != nil && p.state.AllRuntimes }

// Undoes returns the name of the runtime that the plan takes out; empty if it takes none.
func (p *Plan) Undoes() string {
	if p.undone == nil {
		return ""
	}
	return p.undone.Handler
}

// Diff is the plan as a unified diff, empty if there is nothing to do.
func (p *Plan) Diff() []byte {
	return diff.Diff(p.File, p.now, p.File+" (new)", p.After)
}

// Apply carries the plan out and remembers it below dir. Where the engine does
// not accept the result the file is put back as it was.
func (p *Plan) Apply(dir string) error {
	kind := ""
	if p.state != nil {
		kind = p.state.Kind
	} else if p.undone != nil {
		kind = p.undone.Kind
	}
	if target, err := os.Readlink(p.File); err == nil && kind != kindLink && p.now == nil && p.After != nil {
		return fmt.Errorf("%s is a symbolic link to %s, which does not exist; make that file, or remove the link", p.File, target)
	}
	if p.before != nil {
		if err := p.before(); err != nil {
			return fmt.Errorf("%s is left as it is: %w", p.File, err)
		}
	}
	if err := p.remember(dir); err != nil {
		return err
	}
	if err := put(kind, p.File, p.After); err != nil {
		return err
	}
	if p.undone != nil && p.After == nil {
		for _, dir := range p.undone.Dirs {
			_ = os.Remove(dir) // if nothing else is in it
		}
	}
	if p.check != nil {
		if err := p.check(); err != nil {
			back := write(p.File, p.now)
			if bytes.Equal(p.now, p.Before) {
				back = errors.Join(back, p.forget(dir))
			}
			now := "put back as it was"
			if p.now == nil {
				now = "removed again"
			}
			return errors.Join(fmt.Errorf("%s is %s: %w", p.File, now, err), back)
		}
	}
	if p.state == nil {
		return p.forget(dir)
	}
	return nil
}

func (p *Plan) remember(dir string) error {
	if p.state == nil {
		return nil
	}
	p.state.File, p.state.Existed, p.state.Before, p.state.After = p.File, p.Before != nil, p.Before, digest(p.After)
	last, err := load(dir, p.Target)
	if err != nil {
		return err
	}
	if p.state.Dirs = missingAbove(p.File); last != nil && last.File == p.File {
		p.state.Dirs = append(p.state.Dirs, last.Dirs...)
	}
	data, err := json.MarshalIndent(p.state, "", "  ")
	if err != nil {
		return err
	}
	return write(statePath(dir, p.Target), append(data, '\n'))
}

// missingAbove returns the directories above a file that are not there, the innermost first.
func missingAbove(file string) (dirs []string) {
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dirs
		}
		dirs = append(dirs, dir)
	}
}

func (p *Plan) forget(dir string) error {
	if err := write(statePath(dir, p.Target), nil); err != nil {
		return err
	}
	_ = os.Remove(dir) // if nothing else is in it
	return nil
}
