package procfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Status is what /proc/<pid>/status says of one thread (proc_pid_status(5)).
type Status struct {
	Name string
	// State is such as "S (sleeping)".
	State string
	// Parent is the process's parent, Tracer the process that traces the thread, 0 for
	// none.
	Parent, Tracer int
	// Threads counts the threads of the process.
	Threads int
	// Seccomp is the mode: 0 none, 1 strict, 2 filter. A thread that seccomp has killed, for
	// which the kernel says 3 until the thread is waited for, has the mode that killed it.
	// Filters counts the filters. Each is -1 if the kernel does not say: Filters before Linux
	// 5.9.
	Seccomp, Filters int
	// NoNewPrivs says that execve gives no rights (PR_SET_NO_NEW_PRIVS). Bounding has a bit for
	// each capability of the bounding set.
	NoNewPrivs bool
	Bounding   uint64
}

// modeDead is the mode of a thread that seccomp has killed (SECCOMP_MODE_DEAD in
// kernel/seccomp.c, since Linux 5.17).
const modeDead = 3

// StatusOf reads the status of a process of this machine, or of one of its threads. The
// error is fs.ErrNotExist or ESRCH if there is none.
func StatusOf(pid int) (Status, error) {
	return readStatus(filepath.Join("/proc", strconv.Itoa(pid)))
}

// SelfStatus reads the status of the calling process.
func SelfStatus() (Status, error) { return readStatus("/proc/self") }

// Ended reports whether the thread has ended. Other threads of its process may run.
func (s Status) Ended() bool {
	return strings.HasPrefix(s.State, "Z") || strings.HasPrefix(s.State, "X")
}

// readStatus reads the status in a thread's directory.
func readStatus(dir string) (Status, error) {
	data, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Status{}, err
	}
	s := Status{Seccomp: -1, Filters: -1}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Name":
			s.Name = value
		case "State":
			s.State = value
		case "PPid":
			s.Parent, err = strconv.Atoi(value)
		case "TracerPid":
			s.Tracer, err = strconv.Atoi(value)
		case "Threads":
			s.Threads, err = strconv.Atoi(value)
		case "NoNewPrivs":
			s.NoNewPrivs = value == "1"
		case "CapBnd":
			s.Bounding, err = strconv.ParseUint(value, 16, 64)
		case "Seccomp":
			s.Seccomp, err = strconv.Atoi(value)
		case "Seccomp_filters":
			s.Filters, err = strconv.Atoi(value)
		}
		if err != nil {
			return Status{}, fmt.Errorf("%s/status: %s: %w", dir, key, err)
		}
	}
	if s.Seccomp == modeDead {
		// Only a filter or the strict mode kills, and the strict mode has no filters.
		s.Seccomp = 1
		if s.Filters != 0 {
			s.Seccomp = 2
		}
	}
	return s, nil
}
