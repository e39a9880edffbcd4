package status

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/procfs"
)

// buildkitCommand is the variable by which newer dockerds are told what BuildKit runs.
const buildkitCommand = "DOCKER_BUILDKIT_RUNC_COMMAND"

// Builder is how BuildKit in a dockerd starts RUN steps. No configured runtime counts
// for it: it starts the runc that is first on dockerd's PATH.
type Builder struct {
	Engine string `json:"engine"`
	// By is the program, empty if there is none; Batten is set where it is batten-runc.
	By     string `json:"by"`
	Batten bool   `json:"batten"`
}

// builder says how the BuildKit in a dockerd that runs starts RUN steps.
func builder(proc string, p procfs.Process) Builder {
	dir := filepath.Join(proc, strconv.Itoa(p.Pid))
	environ := filepath.Join(dir, "environ")
	command := "runc"
	// Docker 20.10 does not know the variable.
	if told := variableOf(environ, buildkitCommand); told != "" && contains(filepath.Join(dir, "exe"), buildkitCommand) {
		command = told
	}
	b := Builder{Engine: "docker"}
	b.By, b.Batten = install.RunsWrapper(filepath.Join(dir, "root"), variableOf(environ, "PATH"), command)
	return b
}

// contains reports whether a file contains text.
func contains(file, text string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	buffer, kept := make([]byte, 1<<20), 0
	for {
		n, err := f.Read(buffer[kept:])
		if bytes.Contains(buffer[:kept+n], []byte(text)) {
			return true
		}
		if err != nil { // io.EOF too
			return false
		}
		// The text may go on in what is read next.
		tail := min(len(text)-1, kept+n)
		copy(buffer, buffer[kept+n-tail:kept+n])
		kept = tail
	}
}
