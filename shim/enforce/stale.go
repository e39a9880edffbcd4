package enforce

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"
)

// stale reports whether the container of a record is gone. Nobody may have been told
// that it was never made: a runtime called by its command line failed, or the shim
// was killed meanwhile.
func (r *Record) stale() bool {
	if r.Pid != 0 {
		return startTime(r.Pid) != r.StartTime
	}
	return r.bundleGone() && time.Since(r.Time) > time.Minute
}

func (r *Record) bundleGone() bool {
	_, err := os.Stat(r.Bundle)
	return errors.Is(err, fs.ErrNotExist)
}

// Sweep removes the records of an owner's containers that a shim was killed over
// before they were made: their bundles are gone.
func (r Records) Sweep(owner string) error {
	paths, err := filepath.Glob(filepath.Join(r.Dir, owner, "*.json"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		rec, err := readRecord(path)
		if err == nil && rec.Pid == 0 && rec.bundleGone() {
			err = r.Remove(rec.Owner(), rec.ID)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// List returns all records, by owner and id. Those whose
// process is gone are removed and left out: their shim died before it could.
func (r Records) List() ([]*Record, error) {
	paths, err := filepath.Glob(filepath.Join(r.Dir, "*", "*.json"))
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	var records []*Record
	for _, path := range paths {
		rec, err := readRecord(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if rec.stale() {
			if err := r.Remove(rec.Owner(), rec.ID); err != nil {
				return nil, err
			}
			continue
		}
		records = append(records, rec)
	}
	return records, nil
}
