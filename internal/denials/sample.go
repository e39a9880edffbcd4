package denials

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sampleOf describes a call that waits for its answer. Of its process it reads what the kernel
// tells without looking at the process's memory or files, so no container can make that hang.
// The caller checks with valid that the process was the right one.
func sampleOf(n *notification) Sample {
	s := Sample{HostPid: int(n.pid), Args: n.args, InstructionPointer: n.ip}
	dir := filepath.Join("/proc", strconv.Itoa(s.HostPid))
	if status, err := os.ReadFile(filepath.Join(dir, "status")); err == nil {
		s.HostPid, s.Pid = pids(string(status), s.HostPid)
	}
	if comm, err := os.ReadFile(filepath.Join(dir, "comm")); err == nil {
		s.Comm = printable(strings.TrimSuffix(string(comm), "\n"))
	}
	if exe, err := os.Readlink(filepath.Join(dir, "exe")); err == nil {
		s.Exe = printable(exe)
	}
	return s
}

// pids returns the numbers of a thread's process, on this machine and in the pid namespace below,
// which is the container's, from proc_pid_status(5). A container without one has the machine's.
func pids(status string, tid int) (host, own int) {
	host = tid
	for line := range strings.Lines(status) {
		key, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		switch key {
		case "Tgid":
			host, _ = strconv.Atoi(fields[0])
		case "NStgid": // from the namespace of this /proc down to the process's own
			own, _ = strconv.Atoi(fields[min(1, len(fields)-1)])
		}
	}
	return host, own
}

// maxName is how much is kept of a name that a process gives itself.
const maxName = 256

// printable returns a name as a terminal and a line of a log may have it: with quotes and
// escapes if it has other characters, and cut where it is long.
func printable(s string) string {
	cut := ""
	if len(s) > maxName {
		s, cut = s[:maxName], "…"
		for !utf8.ValidString(s) && len(s) > maxName-utf8.UTFMax {
			s = s[:len(s)-1]
		}
	}
	for _, r := range s {
		if r == utf8.RuneError || r == '"' || !strconv.IsPrint(r) {
			return strconv.Quote(s) + cut
		}
	}
	return s + cut
}

// hexadecimal is how arguments are written in lines of a log.
func hexadecimal(v uint64) string { return fmt.Sprintf("%#x", v) }
