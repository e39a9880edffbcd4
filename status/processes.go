package status

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Process is what /proc tells of one process (proc(5)).
type Process struct {
	Pid, Parent int
	// Name is what it executes, without directories.
	Name string
	Args []string
	// Dir is its working directory.
	Dir string
	// Cgroup is the longest of its cgroups' paths.
	Cgroup string
	// Seccomp is the mode, Filters how many; -1 where the kernel does not tell.
	Seccomp, Filters int

	mounts string // its mount namespace, empty where that cannot be told
}

// Processes are all of a /proc, by pid. Those that end meanwhile are left out.
func Processes(proc string) (map[int]Process, error) {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	out := make(map[int]Process)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, err := readProcess(filepath.Join(proc, e.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errGone):
			continue
		case err != nil:
			return nil, err
		}
		p.Pid = pid
		out[pid] = p
	}
	return out, nil
}

var errGone = errors.New("no such process any more")

func readProcess(dir string) (Process, error) {
	p := Process{Seccomp: -1, Filters: -1}
	data, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		if strings.Contains(err.Error(), "no such process") {
			err = errGone
		}
		return p, err
	}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Name":
			p.Name = value
		case "State":
			if strings.HasPrefix(value, "Z") || strings.HasPrefix(value, "X") {
				return p, errGone
			}
		case "PPid":
			p.Parent, err = strconv.Atoi(value)
		case "Seccomp":
			p.Seccomp, err = strconv.Atoi(value)
		case "Seccomp_filters":
			p.Filters, err = strconv.Atoi(value)
		}
		if err != nil {
			return p, fmt.Errorf("%s/status: %s: %w", dir, key, err)
		}
	}
	if exe, err := os.Readlink(filepath.Join(dir, "exe")); err == nil {
		p.Name = strings.TrimSuffix(filepath.Base(exe), " (deleted)")
	}
	p.Dir, _ = os.Readlink(filepath.Join(dir, "cwd"))
	p.mounts, _ = os.Readlink(filepath.Join(dir, "ns/mnt"))
	if args, err := os.ReadFile(filepath.Join(dir, "cmdline")); err == nil {
		p.Args = strings.Split(string(bytes.TrimRight(args, "\x00")), "\x00")
	}
	groups, _ := os.ReadFile(filepath.Join(dir, "cgroup"))
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && len(parts[2]) > len(p.Cgroup) {
			p.Cgroup = parts[2]
		}
	}
	return p, nil
}

// supervises reports whether the process is the parent of containers.
func (p Process) supervises() bool {
	return strings.HasPrefix(p.Name, "containerd-shim") || p.Name == "conmon"
}

// passes reports whether a supervisor's child is no container's: a runtime on its
// way, or Podman cleaning up. These are where the supervisor is; a container has a
// mount namespace of its own. Names do not count: a container chooses them.
func (p Process) passes(supervisor Process) bool {
	return p.mounts != "" && p.mounts == supervisor.mounts
}

// option is the value of one of the process's arguments: -id x, or --cid x.
func (p Process) option(names ...string) string {
	for i := 1; i+1 < len(p.Args); i++ {
		if slices.Contains(names, p.Args[i]) {
			return p.Args[i+1]
		}
	}
	return ""
}

var containerID = regexp.MustCompile(`[0-9a-f]{64}`)

// id is the container's id as its cgroup has it: the last 64 hexadecimal digits,
// or the last part of the path.
func (p Process) id() string {
	if all := containerID.FindAllString(p.Cgroup, -1); len(all) > 0 {
		return all[len(all)-1]
	}
	return strings.TrimSuffix(filepath.Base(p.Cgroup), ".scope")
}
