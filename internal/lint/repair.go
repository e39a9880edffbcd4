package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/moby/sys/atomicwriter"
)

// Repair makes the edits of findings in the files that have these names, and returns
// the names of those that it changed. A file for which it returns an error is as it was.
func Repair(names []string, findings []manifest.Finding) (repaired []string, err error) {
	edits := make(map[string][]manifest.Edit)
	for _, f := range findings {
		edits[f.File] = append(edits[f.File], f.Edits...)
	}
	for _, name := range names {
		if len(edits[name]) == 0 {
			continue
		}
		if err := repair(name, edits[name]); err != nil {
			return repaired, err
		}
		repaired = append(repaired, name)
		delete(edits, name)
	}
	return repaired, nil
}

// repair makes edits in a file. Where a name is a symbolic link, it changes the file that
// the link leads to.
func repair(name string, edits []manifest.Edit) error {
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if data, err = manifest.Apply(data, edits); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := atomicwriter.WriteFile(path, data, info.Mode().Perm()); err != nil {
		if at := (*fs.PathError)(nil); errors.As(err, &at) {
			err = at.Err // the path is of a temporary file beside it
		}
		return fmt.Errorf("%s: cannot be written in its directory: %w", name, err)
	}
	// The new file is whose that runs this; root gives it back.
	if was, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return os.Chown(path, int(was.Uid), int(was.Gid))
	}
	return nil
}
