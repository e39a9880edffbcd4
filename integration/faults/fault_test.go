package faults

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

const engine = "containerd-2.4"

// needStrace skips the test where there is no strace.
func needStrace(t *testing.T) {
	t.Helper()
	node.Need(t, engine)
	if _, err := exec.LookPath("strace"); err != nil {
		node.Missing(t, "strace is missing")
	}
}

// fault is one call that fails, or at which the process is killed.
type fault struct {
	call, what string
	when       int
}

// Calls of the enforcement path, as strace saw them: reading the spec, the policy
// and /proc, writing record and spec, and starting the runtime. Not wait4, in which
// these errors do not occur: with one of them containerd's shim, with Batten or
// without, forgets a runtime that has ended, and waits for it.
var (
	calls = []string{
		"openat", "newfstatat", "fstat", "read", "write", "fsync", "fchownat", "fchown", "fchmod", "renameat", "unlinkat",
		"mkdirat", "getdents64", "readlinkat", "fcntl", "close", "execve", "statfs", "prctl",
	}
	outcomes = []string{"error=EIO", "error=ENOSPC", "error=EACCES", "error=EINTR", "error=ENOMEM", "error=EMFILE", "signal=SIGKILL", "signal=SIGKILL", "signal=SIGKILL"}
)

// randomFault picks one. A close(2) that fails has closed the file all the same, which
// an injected one has not: there the process is killed.
func randomFault(r *rand.Rand) fault {
	f := fault{calls[r.IntN(len(calls))], outcomes[r.IntN(len(outcomes))], 1 + r.IntN(1<<r.IntN(6))}
	if f.call == "close" {
		f.what = "signal=SIGKILL"
	}
	return f
}

func (f fault) String() string { return fmt.Sprintf("inject=%s:%s:when=%d", f.call, f.what, f.when) }

// strace is a command's arguments for it to be traced by a process beside it, that
// outlives it and writes down the calls at which something was injected.
func (f fault) strace(log string, args ...string) []string {
	return append([]string{"strace", "-DD", "-I1", "-f", "-qq", "-o", log, "-e", "trace=" + f.call, "-e", f.String(), "--"}, args...)
}

// happened reports whether strace's log tells of the fault.
func happened(t *testing.T, log string) bool {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(data, []byte("(INJECTED)")) || bytes.Contains(data, []byte("killed by SIGKILL"))
}

// endTracers ends the straces of a node: what they traced goes on by itself.
func endTracers(t *testing.T, n *node.Node) {
	t.Helper()
	for _, pid := range n.Others() {
		if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); string(comm) == "strace\n" {
			_ = syscall.Kill(pid, syscall.SIGTERM)
			// One that waits for a thread which does not stop does not end by itself.
			for i := 0; i < 100 && node.Gone(pid) != nil; i++ {
				time.Sleep(20 * time.Millisecond)
			}
			_ = syscall.Kill(pid, syscall.SIGKILL)
			n.Eventually(5*time.Second, "strace to end", func() error { return node.Gone(pid) })
		}
	}
}

// programs are the processes of the node's containers: all of them run /probe.
func programs(n *node.Node) (pids []int) {
	comms, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, path := range comms {
		comm, _ := os.ReadFile(path)
		group, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cgroup"))
		if string(comm) == "probe\n" && bytes.Contains(group, []byte(filepath.Base(n.Dir))) {
			pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

// endPrograms kills them at the end of a test that failed half way.
func endPrograms(t *testing.T, n *node.Node) {
	t.Cleanup(func() {
		for _, pid := range programs(n) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
}

// checkFiltered: whatever runs in a container of the node is filtered, or dead
// within the second that an attestation may take.
func checkFiltered(t *testing.T, n *node.Node, what string) {
	t.Helper()
	for deadline := time.Now().Add(1500 * time.Millisecond); ; time.Sleep(20 * time.Millisecond) {
		var below []string
		for _, pid := range programs(n) {
			if mode, _ := node.Seccomp(pid); mode == "0" {
				below = append(below, fmt.Sprintf("process %d", pid))
			}
		}
		if len(below) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s: below the policy: %q", what, below)
			return
		}
	}
}

// checkFiles: records are whole, and none is left when the containers are gone. A process
// that is killed after its container's end leaves what it has half written, which goes
// when batten looks a minute later.
func checkFiles(t *testing.T, n *node.Node, what string) {
	t.Helper()
	var left []string
	for range 40 {
		if left = filesLeft(n); len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, path := range left {
		if strings.HasPrefix(filepath.Base(path), ".new-") {
			_ = os.Chtimes(path, time.Time{}, time.Now().Add(-2*time.Minute))
		}
	}
	_ = n.Command("batten", "records").Run()
	if left = filesLeft(n); len(left) > 0 {
		t.Errorf("%s: left behind: %q", what, left)
	}
}

// filesLeft returns what is in the directory of records, but what filters were found to
// be, which is kept until the next boot.
func filesLeft(n *node.Node) (left []string) {
	paths, _ := filepath.Glob(n.Path("/run/batten/*/*")) // hidden files, too
	return slices.DeleteFunc(paths, func(path string) bool {
		return strings.HasPrefix(path, n.Path("/run/batten/compared/"))
	})
}
