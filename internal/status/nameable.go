package status

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/procfs"
)

// nameableRuntimes returns by engine the runtimes that bypass Batten and that users of the
// engine can name although no configuration has them. Handlers are the engines that are
// here.
func nameableRuntimes(proc string, processes map[int]procfs.Process, handlers []install.Handler) map[string][]string {
	out := map[string][]string{}
	for _, h := range handlers {
		switch h.Engine {
		case "docker":
			out["docker"] = dockerRuntimes(proc, processes)
		case "podman":
			out["podman"] = []string{"any path (--runtime)"}
		}
	}
	maps.DeleteFunc(out, func(_ string, names []string) bool { return len(names) == 0 })
	return out
}

// dockerRuntimes looks at what is on the PATH of each containerd that runs: dockerd passes
// names on to one of them. If none runs, it looks at this process's PATH.
func dockerRuntimes(proc string, processes map[int]procfs.Process) (names []string) {
	found := false
	for pid, p := range processes {
		if !isContainerd(p) {
			continue
		}
		found = true
		dir := filepath.Join(proc, strconv.Itoa(pid))
		names = append(names, install.OtherRuntimes(filepath.Join(dir, "root"), pathOf(filepath.Join(dir, "environ")))...)
	}
	if !found {
		names = install.OtherRuntimes("/", os.Getenv("PATH"))
	}
	if slices.Contains(names, "io.containerd.runc.v2") {
		names = append(names, "runc") // built in
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// markByPath notes of runtimes that they go through Batten where each containerd that runs
// finds Batten's shim under the name of runc's: by that name dockerd starts runc and every
// runtime that is a path, and CRI the handlers that name no shim's file.
func markByPath(proc string, processes map[int]procfs.Process, handlers []install.Handler) {
	found := false
	for pid, p := range processes {
		if !isContainerd(p) {
			continue
		}
		dir := filepath.Join(proc, strconv.Itoa(pid))
		if !install.ServesRunc(filepath.Join(dir, "root"), pathOf(filepath.Join(dir, "environ"))) {
			return
		}
		found = true
	}
	for k, h := range handlers {
		switch {
		case !found:
		case h.Engine == "containerd" && h.By == "io.containerd.runc.v2":
			handlers[k].Batten = true
		case h.Engine == "docker" && (h.By == "io.containerd.runc.v2" || !strings.HasPrefix(h.By, "io.containerd.")):
			handlers[k].Batten = true
		}
	}
}

// pathOf returns the PATH of an environ file (proc(5)); empty if it has none.
func pathOf(environ string) string { return variableOf(environ, "PATH") }

// variableOf returns a variable of an environ file; empty if it is not there.
func variableOf(environ, name string) string {
	text, _ := os.ReadFile(environ)
	for _, variable := range strings.Split(string(text), "\x00") {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}
