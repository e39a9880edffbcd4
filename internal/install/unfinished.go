package install

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
)

// Unfinished says of each file that an installation below dir wrote, or was about to write,
// and that has nothing of Batten in it, what to do: the installation or the uninstallation
// was interrupted, or somebody has written the file anew since.
func Unfinished(dir string) (said []string, err error) {
	states, err := filepath.Glob(statePath(dir, "*"))
	if err != nil {
		return nil, err
	}
	for _, path := range states {
		target := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if target == podmanRuntime || target == crioRuntime {
			continue // batten-runc's settings, which their owner may have changed
		}
		p, err := Undo(dir, target)
		if err != nil {
			return said, err
		}
		if !bytes.Equal(p.now, p.After) {
			continue
		}
		engine, _, _ := strings.Cut(target, "-")
		said = append(said, fmt.Sprintf("%s has nothing of Batten in it, although batten install began to write it: it was interrupted, or somebody has written the file since; run batten install --%s again, or batten uninstall --%s",
			p.File, engine, engine))
	}
	return said, nil
}
