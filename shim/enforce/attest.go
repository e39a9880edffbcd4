package enforce

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
)

// Limits on how long a process may be without its filter. A process that still executes the
// runtime runs nothing of the container: it may take longer, on a busy node.
const (
	attestLimit        = time.Second
	attestRuntimeLimit = 10 * time.Second
)

// subject is one process to attest.
type subject struct {
	pid int
	// runtime is the file that the process executed while it certainly was the
	// runtime; zero if it was never seen in that state.
	runtime procfs.File
	// binary is the runtime's file.
	binary procfs.File
}

// attest waits until the kernel filters the process, or the process has ended, or it executes
// another program without a filter. It returns Pending only if ctx ends.
func (s subject) attest(ctx context.Context) record.Attestation {
	own, err := procfs.SelfStatus()
	if err != nil {
		return record.Attestation{State: record.Failed, Detail: err.Error()}
	}
	began := time.Now()
	first := procfs.Executable(s.pid)
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		// The executable is read before the filter: a process that has left
		// the runtime by the first look must be filtered by the second.
		now := procfs.Executable(s.pid)
		left := s.leftRuntime(first, now) || s.executesContainer(now)
		p, err := procfs.StatusOf(s.pid)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
			return record.Attestation{State: record.Ended}
		case err != nil:
			return record.Attestation{State: record.Failed, Detail: err.Error()}
		case filteredBeyond(p, own):
			return record.Attestation{State: record.Filtered, Filters: p.Filters}
		case p.Ended() && p.Threads < 2: // the first thread may end before the others
			return record.Attestation{State: record.Ended}
		case left, time.Since(began) > s.limit():
			return record.Attestation{State: record.Failed, Filters: p.Filters, Detail: s.describe(p)}
		}
		select {
		case <-ctx.Done():
			return record.Attestation{State: record.Pending}
		case <-time.After(pause):
		}
	}
}

// filteredBeyond reports whether p has a filter that its creator does not have: an engine
// that runs in a container passes its own filter on.
func filteredBeyond(p, own procfs.Status) bool {
	if p.Seccomp != 2 {
		return false
	}
	return own.Seccomp != 2 || p.Filters < 0 || p.Filters > own.Filters
}

// leftRuntime reports whether the process no longer executes the runtime: now is another file
// than the runtime's or, if that is unknown, than the one at the first look.
func (s subject) leftRuntime(first, now procfs.File) bool {
	none := procfs.File{}
	if now == none {
		return false
	}
	if s.runtime != none {
		return now != s.runtime
	}
	return first != none && now != first
}

// executesContainer reports whether the process executes a file of the container's root
// file system. For an exec there is no earlier look at the runtime to compare with; the
// runtime itself runs from the host's file system or from memory.
func (s subject) executesContainer(now procfs.File) bool {
	if s.runtime != (procfs.File{}) || now.Inode == 0 {
		return false
	}
	root := procfs.FileAt(fmt.Sprintf("/proc/%d/root/", s.pid))
	return now.Device == root.Device && now != s.binary && root != procfs.FileAt("/") &&
		!strings.HasPrefix(procfs.Command(s.pid), "runc:[")
}

// limit returns how long the process may go on as it is.
func (s subject) limit() time.Duration {
	if s.runtime != (procfs.File{}) || strings.HasPrefix(procfs.Command(s.pid), "runc:[") {
		return attestRuntimeLimit
	}
	return attestLimit
}

func (s subject) describe(p procfs.Status) string {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", s.pid))
	if err != nil {
		exe = procfs.Command(s.pid)
	}
	return fmt.Sprintf("process %d (%s) has Seccomp: %d and %d filters", s.pid, exe, p.Seccomp, p.Filters)
}
