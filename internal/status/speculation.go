package status

import (
	"fmt"
	"os"
	"strings"
)

// speculation says whether the kernel mitigates speculative execution for a process
// because of a filter that was loaded without SECCOMP_FILTER_FLAG_SPEC_ALLOW. The
// kernel tells no filter's flags but LOG.
type speculation struct {
	// acts is set where the kernel acts on the flag at all: since Linux 5.16 only
	// where it is booted with spec_store_bypass_disable=seccomp.
	acts bool
	// mitigated is set where it does so for the process.
	mitigated bool
}

// speculationOf reads what the kernel says of a process, and of itself.
func speculationOf(pid int) speculation {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return speculation{}
	}
	mode, err := os.ReadFile("/sys/devices/system/cpu/vulnerabilities/spec_store_bypass")
	if err != nil {
		return speculation{}
	}
	return readSpeculation(string(status), string(mode))
}

// readSpeculation reads /proc/PID/status (proc_pid_status(5)) and the vulnerability's
// file (Documentation/ABI/testing/sysfs-devices-system-cpu).
func readSpeculation(status, mode string) (s speculation) {
	if !strings.Contains(mode, "seccomp") {
		return s
	}
	for line := range strings.Lines(status) {
		if state, ok := strings.CutPrefix(line, "Speculation_Store_Bypass:"); ok {
			s.acts = strings.Contains(state, "thread")
			s.mitigated = strings.Contains(state, "mitigated")
		}
	}
	return s
}
