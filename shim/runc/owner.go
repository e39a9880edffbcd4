package runc

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// owner returns the directory of the records of one --root. Each engine has another --root,
// and two engines may use the same container id.
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

// absolute returns path as an absolute path; empty means the working directory.
func absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	dir, err := os.Getwd()
	return filepath.Join(dir, path), err
}
