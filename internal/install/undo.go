package install

import (
	"errors"
	"fmt"
)

// ErrNotInstalled is what Undo returns where there is nothing to undo.
var ErrNotInstalled = errors.New("nothing of Batten is installed")

// Undo is the plan that takes Batten out of a target again.
func Undo(dir, target string) (*Plan, error) {
	s, err := load(dir, target)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("%s: %w", target, ErrNotInstalled)
	}
	p := &Plan{Target: target, File: s.File, Unit: s.Unit, undone: s}
	if p.now, err = get(s.Kind, s.File); err != nil {
		return nil, err
	}
	p.Before = p.now
	takeOut := map[string]func(*state, []byte) ([]byte, error){
		"containerd": takeOutTOML, "docker": takeOutJSON, "podman": takeOutDropIn, podmanRuntime: takeOutSettings,
		"crio": takeOutCRIO, crioRuntime: takeOutSettings,
	}[target]
	if takeOut == nil {
		takeOut = takeOutAll // a file of AllRuntimes
	}
	if p.After, err = s.undo(p.now, takeOut); err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	switch target {
	case "containerd":
		p.Notes = append(p.Notes, restartNote(s.Unit)+" for it to take effect: until then pods start as before; running containers stay as they are")
	case "docker":
		p.Notes = append(p.Notes, "restart dockerd for it to take effect: until then containers start as before")
	case "crio":
		p.Notes = append(p.Notes, "restart CRI-O for it to take effect, at once: batten-runc no longer knows which runtime CRI-O used",
			fmt.Sprintf("CRI-O can no longer stop pods whose RuntimeClass names the handler %s: delete them before it is restarted", s.Handler))
	}
	if p.now != nil && digest(p.now) != s.After {
		p.Notes = append(p.Notes, p.File+" was changed since Batten was installed; only Batten's part is taken out")
	}
	return p, nil
}
