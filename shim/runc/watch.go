package runc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/shim/enforce"
	"golang.org/x/sys/unix"
)

// watchFlag is the first argument of the process that attests. The others are the record's
// owner and id, and the runtime's process, whose child it is. No runtime has such a flag.
const watchFlag = "--batten-watch"

// Limits of waiting for the runtime to make the process: hooks may take long.
const (
	watchLimit = 2 * time.Minute
	watchPause = 5 * time.Millisecond
	// askPause is the longest pause between two questions to the runtime, each of which
	// starts a process. The first pause is watchPause.
	askPause = 100 * time.Millisecond
)

// watch starts a process of batten-runc that attests the container's first process, while the
// runtime, in place of this process, starts it. The new process has none of the caller's open
// files: somebody may be waiting for these to be closed.
func (w *wrapper) watch() {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer null.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{os.Args[0], watchFlag, w.owner(), w.call.ID, strconv.Itoa(os.Getpid())}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{null, null, null}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err == nil {
		_ = p.Release()
	}
}

// runtimeEnded returns whether the runtime, the parent of this process, has ended.
func runtimeEnded(pid string) func() bool {
	return func() bool { return strconv.Itoa(os.Getppid()) != pid }
}

// attest attests the first process of the container of a record; the runtime may not have made
// it yet. It is an error if the process ran without the filter that it must have. If the
// runtime ends without making a process, there is nothing to attest.
func attest(records record.Store, owner, id string, ended func() bool) error {
	rec, err := records.Read(owner, id)
	if errors.Is(err, fs.ErrNotExist) || err == nil && rec.Call == nil {
		return nil // the container does not go through batten-runc, which status reports
	}
	if err != nil {
		return err
	}
	e := &enforce.Enforcer{Records: records, Now: time.Now}
	pid, pause, asked := 0, watchPause, time.Time{}
	for deadline := time.Now().Add(watchLimit); pid == 0 && time.Now().Before(deadline); {
		last := ended()
		if pid = pidIn(rec.Call.PidFile, rec.Time); pid == 0 && (last || time.Since(asked) > pause) {
			pid, asked, pause = askPid(rec), time.Now(), min(2*pause, askPause)
		}
		switch {
		case pid == 0 && last:
			return nil
		case pid == 0:
			time.Sleep(watchPause)
		}
	}
	if pid == 0 {
		return nil
	}
	e.Attest(context.Background(), rec, pid, func() { kill(rec, pid) })
	if a := rec.Attestation; a.State == record.Failed {
		return fmt.Errorf("batten: container killed: it ran without the filter that the policy demands: %s", a.Detail)
	}
	return nil
}

// compareCreated compares the filter of a container that waits for start, if the runtime has
// written which process that is. It kills a container whose filter is looser than its profile.
func compareCreated(records record.Store, owner, id string) error {
	rec, err := records.Read(owner, id)
	if err != nil || rec.Call == nil {
		return nil // attest reports it
	}
	pid := pidIn(rec.Call.PidFile, rec.Time)
	if pid == 0 {
		return nil
	}
	e := &enforce.Enforcer{Records: records, Now: time.Now}
	if err = e.CompareCreated(rec, pid); err != nil {
		kill(rec, pid)
	}
	return err
}

// pidIn reads the number of the process from the runtime's pid file. It returns 0 if there is
// no file, or if the file is older than since.
func pidIn(path string, since time.Time) int {
	info, err := os.Stat(path)
	if path == "" || err != nil || info.ModTime().Before(since) {
		return 0
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return pid
}

// askPid asks the runtime for the number of the container's process; 0 if there is none.
func askPid(rec *record.Record) int {
	out, err := runtimeCommand(rec, "state", rec.ID).Output()
	var state struct{ Pid int }
	if err != nil || json.Unmarshal(out, &state) != nil {
		return 0
	}
	return state.Pid
}

// kill kills all processes of the container, and its first process even if the runtime fails.
func kill(rec *record.Record, pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	_ = runtimeCommand(rec, "kill", "--all", rec.ID, "KILL").Run()
	if err == nil {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		unix.Close(fd)
	}
}

// runtimeCommand returns the real runtime with the engine's global flags.
func runtimeCommand(rec *record.Record, args ...string) *exec.Cmd {
	cmd := exec.Command(rec.OCIRuntime, append(append([]string{}, rec.Call.Globals...), args...)...)
	cmd.Env = []string{fmt.Sprintf("PATH=%s", strings.Join(systemDirs, ":"))}
	return cmd
}
