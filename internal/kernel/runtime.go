package kernel

import (
	"crypto/sha256"
	"encoding/hex"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/batten-runtime/batten/policy/syscalls"
)

// keptRuntime is what a runtime knows, and the state of the files that say so.
type keptRuntime struct {
	Runtime syscalls.Runtime `json:"runtime"`
	From    []fileVersion    `json:"from"`
}

// fileVersion is one state of a file.
type fileVersion struct {
	Path                    string
	Dev, Ino                uint64
	Size, Modified, Changed int64
}

func versionOf(path string) fileVersion {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return fileVersion{Path: path}
	}
	return fileVersion{
		Path: path, Dev: uint64(st.Dev), Ino: st.Ino, Size: st.Size,
		Modified: st.Mtim.Nano(), Changed: st.Ctim.Nano(),
	}
}

// Runtime returns which names of system calls an OCI runtime knows; binary is its name or
// path. The answer is kept below dir until the next boot, or until the runtime or its
// libseccomp changes; an empty dir keeps nothing. A runtime that does not answer counts as
// one with the oldest libseccomp.
func Runtime(dir, binary string) syscalls.Runtime {
	path, err := exec.LookPath(binary)
	if err != nil {
		return syscalls.RuntimeOfVersion(binary, "")
	}
	if dir == "" {
		return askRuntime(path).Runtime
	}
	sum := sha256.Sum256([]byte(path))
	file := filepath.Join(dir, "runtime-"+hex.EncodeToString(sum[:8])+".json")
	if kept, ok := readRuntime(file); ok && kept.Runtime.Path == path {
		return kept.Runtime
	}
	kept := askRuntime(path)
	keep(file, kept)
	return kept.Runtime
}

// Runtimes returns the OCI runtimes of this node: those whose answers are kept below dir, since
// containers were started by them, or else the runc or crun that is on the PATH.
func Runtimes(dir string) (all []syscalls.Runtime) {
	files, _ := filepath.Glob(filepath.Join(dir, "runtime-*.json"))
	for _, file := range files {
		if kept, ok := readRuntime(file); ok {
			all = append(all, kept.Runtime)
		}
	}
	if len(all) > 0 {
		return all
	}
	if r, ok := RuntimeOnPath(); ok {
		return []syscalls.Runtime{r}
	}
	return nil
}

// RuntimeOnPath returns the runc or else the crun that is on the PATH; ok is false for neither.
func RuntimeOnPath() (r syscalls.Runtime, ok bool) {
	for _, name := range []string{"runc", "crun"} {
		if path, err := exec.LookPath(name); err == nil {
			return Runtime("", path), true
		}
	}
	return r, false
}

// readRuntime reads a kept answer. ok is false if the file may not be root's, or if a file
// that the answer was read from has changed.
func readRuntime(file string) (kept keptRuntime, ok bool) {
	if !read(file, &kept) || len(kept.From) == 0 || kept.Runtime.Release == "" {
		return kept, false
	}
	for _, f := range kept.From {
		if versionOf(f.Path) != f {
			return kept, false
		}
	}
	return kept, true
}
