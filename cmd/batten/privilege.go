package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/batten-runtime/batten/internal/names"
)

// refused is an error with advice, where the machine does not let Batten work: it ends
// with exitInternal. What the answer would be is unknown.
type refused struct {
	error
	hint string
}

// effectiveUser is changed by tests.
var effectiveUser = os.Geteuid

// needsRoot returns an error where the caller is not root, so that a command sees nothing
// of what it is asked for: another user's view is an empty table or a wrong verdict.
func needsRoot(what string) error {
	if uid := effectiveUser(); uid != 0 {
		return refused{fmt.Errorf("%s, and this is user %d", what, uid), "run it as root, such as by sudo"}
	}
	return nil
}

// ownProc returns an error where the caller may not look at all processes of this machine.
func ownProc(proc string) error {
	if proc != defaultProc {
		return nil
	}
	return needsRoot("only root sees what containers run under")
}

// listable returns an error where a directory of records that the caller names cannot be
// listed: an empty answer would say that no container ran.
func listable(dir string) error {
	_, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return refused{err, "run it as root, such as by sudo"}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return hinted{err, "without --dir, records are read in " + names.Records}
	}
	return err
}
