package enforce

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// process is what /proc tells of one process (proc_pid_status(5)).
type process struct {
	zombie bool
	// mode is Seccomp: 0 none, 1 strict, 2 filter.
	mode int
	// filters is Seccomp_filters, -1 on kernels before 5.9.
	filters int
}

// readProcess reads /proc/<pid>/status; pid may be "self".
func readProcess(pid string) (process, error) {
	data, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return process{}, err
	}
	p := process{mode: -1, filters: -1}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "State":
			p.zombie = strings.HasPrefix(value, "Z") || strings.HasPrefix(value, "X")
		case "Seccomp":
			p.mode, err = strconv.Atoi(value)
		case "Seccomp_filters":
			p.filters, err = strconv.Atoi(value)
		}
		if err != nil {
			return process{}, fmt.Errorf("/proc/%s/status: %s: %w", pid, key, err)
		}
	}
	return p, nil
}

// startTime is when a process began, in clock ticks since boot: with its pid
// it names one process for good. It is 0 where there is no such process.
func startTime(pid int) uint64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The second field is the command in parentheses, which may hold any
	// byte; the start time is the 20th after it.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 20 {
		return 0
	}
	t, _ := strconv.ParseUint(string(fields[19]), 10, 64)
	return t
}

// executable names the file that a process executes, whatever its path.
type executable struct{ dev, ino uint64 }

// executableOf is the zero value where it cannot be told.
func executableOf(pid int) executable { return fileOf(fmt.Sprintf("/proc/%d/exe", pid)) }

func fileOf(path string) executable {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return executable{}
	}
	return executable{uint64(st.Dev), st.Ino}
}

// command is the process's name, at most 15 bytes.
func command(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
