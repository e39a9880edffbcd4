package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/batten-runtime/batten/policy/syscalls"
)

// askLimit is how long a runtime may take to answer.
const askLimit = 5 * time.Second

// linkerCache decides which libseccomp a program gets (ld.so(8)).
const linkerCache = "/etc/ld.so.cache"

// askRuntime asks a runtime which program it is and which names it knows.
func askRuntime(path string) keptRuntime {
	kept := askNames(path)
	kept.Runtime.Release = releaseOf(path)
	return kept
}

// releaseOf asks a program which runtime it is. A wrapper passes the question on.
func releaseOf(path string) string {
	m := releaseLine.FindSubmatch(answer(nil, path, "--version"))
	if m == nil {
		return "unknown"
	}
	return string(m[1]) + " " + string(m[2])
}

// askNames asks which names a runtime knows: first the libseccomp that it links or has
// built in, which holds the names; else the version of that libseccomp.
func askNames(path string) keptRuntime {
	kept := keptRuntime{From: []fileVersion{versionOf(path), versionOf(linkerCache)}}
	if library := linkedLibseccomp(path); library != "" {
		return kept.fromLibrary(path, library)
	}
	version := versionInFeatures(path)
	if names, ok := namesIn(path); ok {
		kept.Runtime = syscalls.RuntimeOfNames(path, version, names)
		return kept
	}
	kept.Runtime = syscalls.RuntimeOfVersion(path, version)
	return kept
}

// fromLibrary reads the names from the library that the runtime at path links.
func (kept keptRuntime) fromLibrary(path, library string) keptRuntime {
	kept.From = append(kept.From, versionOf(library))
	version := versionInName(library)
	if names, ok := namesIn(library); ok {
		kept.Runtime = syscalls.RuntimeOfNames(path, version, names)
		return kept
	}
	kept.Runtime = syscalls.RuntimeOfVersion(path, version)
	return kept
}

func namesIn(file string) ([]string, bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, false
	}
	return syscalls.NamesIn(data)
}

// answer returns what a program prints. The exit status is ignored: the shim's server
// waits for any child, and may take it first.
func answer(env []string, path string, args ...string) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = askLimit
	out := &head{left: maxAnswer}
	cmd.Stdout = out
	_ = cmd.Run()
	return out.data
}

// maxAnswer is the most that is read of a program's answer; runc's has 10 KiB.
const maxAnswer = 1 << 20

// head keeps the beginning of what is written to it and refuses the rest, which ends
// the program that writes.
type head struct {
	data []byte
	left int
}

func (h *head) Write(p []byte) (int, error) {
	n := min(len(p), h.left)
	h.data, h.left = append(h.data, p[:n]...), h.left-n
	if n < len(p) {
		return n, errAnswer
	}
	return n, nil
}

var errAnswer = fmt.Errorf("more than %d bytes", maxAnswer)

var (
	linkedLine  = regexp.MustCompile(`(?m)^\s*libseccomp\.so\S* => (/\S+) \(0x`)
	releaseLine = regexp.MustCompile(`(?m)^(runc|crun) version (\d+\.\d+(?:\.\d+)?)`)
	nameVersion = regexp.MustCompile(`\.so\.(\d+\.\d+\.\d+)$`)
)

// linkedLibseccomp asks the dynamic linker, as ldd(1) does, which libseccomp the program
// at path loads. It is empty for a program that has libseccomp built in, and for a
// script, whose interpreter answers.
func linkedLibseccomp(path string) string {
	out := answer([]string{"LD_TRACE_LOADED_OBJECTS=1"}, path, "features")
	m := linkedLine.FindSubmatch(out)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// versionInName returns the version in the library's file name.
func versionInName(library string) string {
	real, err := filepath.EvalSymlinks(library)
	if err != nil {
		return ""
	}
	if m := nameVersion.FindStringSubmatch(real); m != nil {
		return m[1]
	}
	return ""
}

// versionInFeatures asks a runtime, or what wraps one, for the version of its
// libseccomp (runtime-spec, features.md).
func versionInFeatures(path string) string {
	var features struct {
		Annotations map[string]string `json:"annotations"`
	}
	if json.Unmarshal(answer(nil, path, "features"), &features) != nil {
		return ""
	}
	return strings.TrimSpace(features.Annotations["io.github.seccomp.libseccomp.version"])
}
