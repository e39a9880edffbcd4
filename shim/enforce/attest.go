package enforce

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// State is how far a container's filter is attested.
type State string

const (
	// Pending: the process has not been looked at since it was started.
	Pending State = "Pending"
	// NotRequired: the policy lets it run without a filter.
	NotRequired State = "NotRequired"
	// Filtered: the kernel filters it.
	Filtered State = "Filtered"
	// Ended: it was gone before it could be looked at.
	Ended State = "Ended"
	// Failed: it ran without the filter that it should have, and was killed.
	Failed State = "Failed"
)

// Attestation is what /proc said of a container's first process.
type Attestation struct {
	State State `json:"state"`
	// Filters is how many filters the process had, -1 where the kernel does
	// not tell.
	Filters int    `json:"filters,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// Limits on how long a process may be seen without its filter. A process that
// is still the runtime's, on its way to execve, runs nothing of the
// container's: it may take longer on a busy node.
const (
	attestLimit        = time.Second
	attestRuntimeLimit = 10 * time.Second
)

// subject is one process to attest.
type subject struct {
	pid int
	// runtime is what the process executed while it was surely still the
	// runtime's; zero where it was never seen so.
	runtime executable
	// binary is the runtime's file.
	binary executable
}

// attest waits until the kernel filters the process, or it is gone, or it has
// left the runtime without a filter. It does not return Pending unless ctx
// ends.
func (s subject) attest(ctx context.Context) Attestation {
	own, err := readProcess("self")
	if err != nil {
		return Attestation{State: Failed, Detail: err.Error()}
	}
	began := time.Now()
	first := executableOf(s.pid)
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		// The executable is read before the filter: a process that has left
		// the runtime by the first look must be filtered by the second.
		now := executableOf(s.pid)
		left := s.leftRuntime(first, now) || s.executesContainer(now)
		p, err := readProcess(strconv.Itoa(s.pid))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
			return Attestation{State: Ended}
		case err != nil:
			return Attestation{State: Failed, Detail: err.Error()}
		case p.filteredBeyond(own):
			return Attestation{State: Filtered, Filters: p.filters}
		case p.zombie:
			return Attestation{State: Ended}
		case left, time.Since(began) > s.limit():
			return Attestation{State: Failed, Filters: p.filters, Detail: s.describe(p)}
		}
		select {
		case <-ctx.Done():
			return Attestation{State: Pending}
		case <-time.After(pause):
		}
	}
}

// filteredBeyond reports whether p has a filter that its creator has not: a
// nested engine hands its own down.
func (p process) filteredBeyond(own process) bool {
	if p.mode != 2 {
		return false
	}
	return own.mode != 2 || p.filters < 0 || p.filters > own.filters
}

// leftRuntime reports whether the process executes something else than the
// runtime now: other than what it executed when it was surely the runtime, or
// than at the first look.
func (s subject) leftRuntime(first, now executable) bool {
	none := executable{}
	if now == none {
		return false
	}
	if s.runtime != none {
		return now != s.runtime
	}
	return first != none && now != first
}

// executesContainer reports whether the process executes a file of the container's
// root filesystem: an exec, of which no look is surely at the runtime, may have left
// it before the first one. A runtime's own file is on another one, or in memory.
func (s subject) executesContainer(now executable) bool {
	if s.runtime != (executable{}) || now.ino == 0 {
		return false
	}
	root := fileOf(fmt.Sprintf("/proc/%d/root/", s.pid))
	return now.dev == root.dev && now != s.binary && root != fileOf("/") &&
		!strings.HasPrefix(command(s.pid), "runc:[")
}

// limit is how long the process may go on as it is.
func (s subject) limit() time.Duration {
	if s.runtime != (executable{}) || strings.HasPrefix(command(s.pid), "runc:[") {
		return attestRuntimeLimit
	}
	return attestLimit
}

func (s subject) describe(p process) string {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", s.pid))
	if err != nil {
		exe = command(s.pid)
	}
	return fmt.Sprintf("process %d (%s) has Seccomp: %d and %d filters", s.pid, exe, p.mode, p.filters)
}
