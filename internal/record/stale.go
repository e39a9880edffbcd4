package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/internal/procfs"
)

// stale reports whether the container of a record no longer exists. Its record may still be
// there, because the runtime failed, or the shim was killed, before the container was made.
func (r *Record) stale() bool {
	if r.Pid != 0 {
		return procfs.StartTime(r.Pid) != r.StartTime || !procfs.Lives(r.Pid)
	}
	return r.bundleGone() && time.Since(r.Time) > time.Minute
}

func (r *Record) bundleGone() bool {
	_, err := os.Stat(r.Bundle)
	return errors.Is(err, fs.ErrNotExist)
}

// Sweep removes the records of an owner's containers whose shim was killed before it made
// them: their bundles are gone. It also removes files that a killed process has half written.
func (r Store) Sweep(owner string) error {
	atomicfile.RemoveAbandoned(filepath.Join(r.Dir, owner))
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

// List returns all records, sorted by owner and id. It removes and leaves out the records whose
// process is gone, because their shim died before it could remove them, and removes files that
// a killed process has half written. It is an error if this process is in another pid namespace
// than a record's process, since it could not find that process.
func (r Store) List() ([]*Record, error) {
	records, err := r.Readable()
	if err != nil {
		return nil, err
	}
	return records, nil
}

// Readable returns the records that can be read, as List does, and why others cannot.
func (r Store) Readable() (records []*Record, wrong error) {
	all, wrong := r.All()
	for _, rec := range all {
		if !rec.stale() {
			records = append(records, rec)
		} else if err := r.Remove(rec.Owner(), rec.ID); err != nil {
			wrong = errors.Join(wrong, err)
		}
	}
	return records, wrong
}

// All returns the records that can be read, and why others cannot. Among them are those of
// containers that have ended and whose runtime has not removed them yet; it removes none.
func (r Store) All() (records []*Record, wrong error) {
	paths, err := filepath.Glob(filepath.Join(r.Dir, "*", "*.json"))
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	if owners, err := filepath.Glob(filepath.Join(r.Dir, "*")); err == nil {
		for _, dir := range owners {
			atomicfile.RemoveAbandoned(dir)
		}
	}
	for _, path := range paths {
		rec, err := readRecord(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		if own := PidNamespace(); rec.PidNamespace != "" && rec.PidNamespace != own {
			wrong = errors.Join(wrong, fmt.Errorf("record %q is of %s, this is %s: its process cannot be seen from here", path, rec.PidNamespace, own))
			continue
		}
		records = append(records, rec)
	}
	return records, wrong
}

// PidNamespace names the pid namespace of this process, such as pid:[4026531836].
func PidNamespace() string {
	name, _ := os.Readlink("/proc/self/ns/pid")
	return name
}
