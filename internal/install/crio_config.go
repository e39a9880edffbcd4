package install

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

// crioConfig is what CRI-O makes of its configuration (crio.conf(5), crio.conf.d(5)).
type crioConfig struct {
	// def is default_runtime, empty where nobody sets it; defFile is the file that does.
	def, defFile string
	// runtimes are the handlers' tables, and defined is where each stands. A table replaces
	// that of an earlier file whole.
	runtimes map[string]map[string]any
	defined  map[string]string
	// files are those that were read, in CRI-O's order.
	files []string
}

// CRIOFiles returns the files that CRI-O reads, in its order: the main one, and all below the
// directory of the drop-ins, whatever they are called.
func CRIOFiles(c CRIOConfigs) (files []string, err error) {
	text, err := read(c.Main)
	if err != nil {
		return nil, err
	}
	if text != nil {
		files = append(files, c.Main)
	}
	err = filepath.WalkDir(c.DropIns, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) { // no such directory
		err = nil
	}
	return files, err
}

// readCRIO reads the files but for one, which is Batten's own; empty for none.
func readCRIO(files []string, but string) (*crioConfig, error) {
	c := &crioConfig{runtimes: map[string]map[string]any{}, defined: map[string]string{}}
	for _, file := range files {
		if file == but {
			continue
		}
		text, err := read(file)
		if err != nil {
			return nil, err
		}
		var t struct {
			CRIO struct {
				Runtime struct {
					Default  *string                   `toml:"default_runtime"`
					Runtimes map[string]map[string]any `toml:"runtimes"`
				} `toml:"runtime"`
			} `toml:"crio"`
		}
		if err := toml.Unmarshal(text, &t); err != nil {
			return nil, fmt.Errorf("%s: %w; CRI-O reads every file there", file, err)
		}
		c.files = append(c.files, file)
		if d := t.CRIO.Runtime.Default; d != nil {
			c.def, c.defFile = *d, file
		}
		for name, table := range t.CRIO.Runtime.Runtimes {
			c.runtimes[name], c.defined[name] = table, file
		}
	}
	return c, nil
}

// standard returns the name of the default handler. Where no file names it that depends on
// CRI-O's version; it is crun from 1.31 on.
func (c *crioConfig) standard() (string, error) {
	if c.def != "" {
		return c.def, nil
	}
	_, crun := c.runtimes["crun"]
	_, runc := c.runtimes["runc"]
	v, err := versionOf("crio")
	switch {
	case err == nil && v.less(1, 31):
		return "runc", nil
	case err == nil || crun && !runc:
		return "crun", nil
	case runc && !crun:
		return "runc", nil
	}
	return "", fmt.Errorf("which handler is CRI-O's default depends on its version, since no file sets default_runtime, and there is no crio to ask (%w): name it by --wrap", err)
}
