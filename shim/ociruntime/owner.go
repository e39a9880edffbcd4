package ociruntime

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// owner names the directory of the records of one --root: engines give each of
// theirs, and two may use the same id.
func (w *wrapper) owner() string {
	root := w.call.Root
	if root == "" {
		return "@" + filepath.Base(w.config.Runtime)
	}
	name := strings.ReplaceAll(canonical(root), "/", "@")
	if len(name) > 200 {
		sum := sha256.Sum256([]byte(name))
		name = "@" + hex.EncodeToString(sum[:])
	}
	return name
}

// absolute is path as seen from the working directory; empty is that itself.
func absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	dir, err := os.Getwd()
	return filepath.Join(dir, path), err
}
