package install

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
)

// state is what is remembered of a target.
type state struct {
	File string `json:"file"`
	// Existed is unset where there was no file; Before is its former bytes.
	Existed bool   `json:"existed"`
	Before  []byte `json:"before"`
	// After is the SHA-256 of what was written.
	After string `json:"after"`
	// Dirs are the directories that were made for the file, the innermost first.
	Dirs []string `json:"dirs,omitempty"`
	// Handler, Default and Former are what to take out of a changed file.
	Handler string `json:"handler"`
	Default bool   `json:"default"`
	Former  string `json:"former,omitempty"`
	Wrap    string `json:"wrap,omitempty"`
	// Kind is kindLink where the file is a symbolic link, whose bytes are its target, or
	// that of a place.
	Kind string `json:"kind,omitempty"`
	// Unit is the service that runs the engine.
	Unit string `json:"unit,omitempty"`
	// AllRuntimes is set where every runtime's name goes through Batten.
	AllRuntimes bool `json:"allRuntimes,omitempty"`
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

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// base returns the bytes that a file holds now, and those that it would hold without
// Batten's part, which takeOut takes out as Undo would.
func base(dir, target, file, kind string, takeOut func(*state, []byte) ([]byte, error)) (before, now []byte, err error) {
	if now, err = get(kind, file); err != nil {
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
	case s.Existed && bytes.Equal(now, s.Before): // it was not written, or was written back
		return now, nil
	case digest(now) != s.After:
		return takeOut(s, now)
	case !s.Existed:
		return nil, nil
	case s.Before == nil:
		return []byte{}, nil
	}
	return s.Before, nil
}
