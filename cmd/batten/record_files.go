package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ready returns an error for what would be found wrong only after all has been recorded, and for
// files that would be lost.
func (r *recordCommand) ready(command []string) error {
	kept := ""
	if !r.work.none(command) {
		kept = r.kept()
	}
	for _, path := range []string{r.to, kept} {
		if path == "" {
			continue
		}
		if err := replaceable(path); err != nil {
			return err
		}
		for _, from := range r.from {
			if sameFile(path, from) {
				return hinted{fmt.Errorf("%s: the recording of --from would be lost", path), "name other files by --to and --recording"}
			}
		}
	}
	if kept != "" && r.to != "" && sameFile(kept, r.to) {
		return hinted{fmt.Errorf("%s: the profile would take the place of the recording", kept), "name two files by --to and --recording"}
	}
	if r.floor == noFloor {
		return nil
	}
	_, err := r.profiles.profile(r.floor)
	return err
}

// kept is where the recording is written; empty for nowhere.
func (r *recordCommand) kept() string {
	if r.keep == "" && r.to != "" {
		return strings.TrimSuffix(r.to, filepath.Ext(r.to)) + ".recording.json"
	}
	return r.keep
}

// replaceable returns an error where no file can be written that takes the place of what is there.
// A device or a link would be gone: /dev/null, for one.
func replaceable(path string) error {
	if unix.Access(filepath.Dir(path), unix.W_OK|unix.X_OK) != nil {
		return hinted{fmt.Errorf("%s: nobody can write a file there", path), "name a file in a directory that exists"}
	}
	old, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !old.Mode().IsRegular():
		return hinted{fmt.Errorf("%s: no regular file, and a file would take its place", path), "name a file; without --to the profile is printed"}
	}
	return nil
}

// sameFile reports whether two names are of one file, which need not exist.
func sameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	two, err := os.Stat(b)
	return err == nil && os.SameFile(one, two)
}
