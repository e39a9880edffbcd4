package ociruntime

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

	"github.com/batten-runtime/batten/shim/enforce"
	"golang.org/x/sys/unix"
)

// watchFlag begins the arguments of the process that attests, which are the
// record's owner and id, and the runtime's process, whose child it is: no runtime's
// arguments begin with it.
const watchFlag = "--batten-watch"

// Limits of waiting for the runtime to make the process: hooks may take long.
const (
	watchLimit = 2 * time.Minute
	watchPause = 5 * time.Millisecond
	// askPause is the longest pause between two questions to the runtime, each of
	// which is a process of its own; they begin with watchPause.
	askPause = 100 * time.Millisecond
)

// watch starts a process of our own that looks at the container's first one
// while the runtime, in our place, starts it. It has none of the caller's files,
// which somebody may be waiting to see closed.
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

// runtimeEnded reports whether the runtime is gone whose child this process is.
func runtimeEnded(pid string) func() bool {
	return func() bool { return strconv.Itoa(os.Getppid()) != pid }
}

// attest attests the first process of the container of a record, which may still
// have to be made. It is an error if that ran without the filter that it must have.
// Where the runtime has ended without one there is nothing to attest.
func attest(records enforce.Records, owner, id string, ended func() bool) error {
	rec, err := records.Read(owner, id)
	if errors.Is(err, fs.ErrNotExist) || err == nil && rec.Call == nil {
		return nil // made by another way, which status shows
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
	if a := rec.Attestation; a.State == enforce.Failed {
		return fmt.Errorf("batten: container killed: it ran without the filter that the policy demands: %s", a.Detail)
	}
	return nil
}

// pidIn reads the number that the runtime wrote for a container made after
// since; 0 as long as there is none.
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

// askPid asks the runtime for it.
func askPid(rec *enforce.Record) int {
	out, err := runtimeCommand(rec, "state", rec.ID).Output()
	var state struct{ Pid int }
	if err != nil || json.Unmarshal(out, &state) != nil {
		return 0
	}
	return state.Pid
}

// kill ends all of the container, and its first process in any case.
func kill(rec *enforce.Record, pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	_ = runtimeCommand(rec, "kill", "--all", rec.ID, "KILL").Run()
	if err == nil {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		unix.Close(fd)
	}
}

// runtimeCommand is the real runtime with the engine's global flags.
func runtimeCommand(rec *enforce.Record, args ...string) *exec.Cmd {
	cmd := exec.Command(rec.Runtime, append(append([]string{}, rec.Call.Globals...), args...)...)
	cmd.Env = []string{fmt.Sprintf("PATH=%s", strings.Join(systemDirs, ":"))}
	return cmd
}
