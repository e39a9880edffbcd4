package learn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/spec"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
	"golang.org/x/sys/unix"
)

// Command runs a command of this node to its end, recorded, in a mount namespace of its own, with
// the rights and the filter of the caller. It returns how the command ended.
func (s *Session) Command(ctx context.Context, cmd *exec.Cmd) (*os.ProcessState, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.own[cmd.Process.Pid] = recording.Container{Command: cmd.Args}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := s.Run(ctx, true); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), <-ended)
	}
	if ctx.Err() != nil { // its time is over
		if err := s.terminate(); err != nil {
			return nil, errors.Join(err, cmd.Process.Kill(), <-ended)
		}
		_ = cmd.Process.Kill() // it has ended, but where nothing was told of it
	}
	err := <-ended
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		err = nil
	}
	return cmd.ProcessState, err
}

// patience is how long processes have to end by themselves.
const patience = 5 * time.Second

// terminate ends all that is recorded, with what it has started: how a program ends is recorded, too.
func (s *Session) terminate() error {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		all, err := s.recorder.Processes()
		if err != nil {
			return err
		}
		for _, w := range s.watched {
			for _, tag := range w.tags {
				for _, pid := range all[tag] {
					_ = syscall.Kill(pid, signal) // it may have ended
				}
			}
		}
		for late := time.Now().Add(patience); len(s.watched) > 0 && time.Now().Before(late); time.Sleep(tick) {
			if err := s.look(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Bundle is an OCI bundle that is run to be recorded.
type Bundle struct {
	Dir string
	// Runtime is the OCI runtime that runs it: runc, crun, or what is called like these.
	Runtime string
	// Seccomp is the linux.seccomp that it is run under; nil for none, whatever its config.json
	// has.
	Seccomp []byte
}

// Run runs the bundle to its end, recorded, with the caller's standard input and output. It
// returns how the container's first process ended. The bundle itself is not changed.
func (b Bundle) Run(ctx context.Context, s *Session) (status unix.WaitStatus, err error) {
	return status, b.run(func(pid int, start func() error) error {
		s.own[pid] = recording.Container{Name: filepath.Base(b.Dir)}
		return start()
	}, func(pid int) error {
		if err := s.Run(ctx, true); err != nil || ctx.Err() != nil {
			return err
		}
		_, err := unix.Wait4(pid, &status, 0, nil)
		return err
	})
}

// run makes a container of the bundle, begins with its first process, and waits for that.
func (b Bundle) run(begin func(pid int, start func() error) error, wait func(pid int) error) (err error) {
	dir, err := b.copied()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// The runtime's process ends, and the container becomes the caller's child.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("becoming the container's parent: %w", err)
	}
	id := filepath.Base(dir)
	call := func(args ...string) error {
		cmd := exec.Command(b.Runtime, append([]string{"--root", filepath.Join(dir, "state")}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s %s: %w", b.Runtime, args[0], err)
		}
		return nil
	}
	pidFile := filepath.Join(dir, "pid")
	if err := call("create", "--bundle", dir, "--pid-file", pidFile, id); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, call("delete", "--force", id)) }()
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%s wrote no process into its pid file: %w", b.Runtime, err)
	}
	if err := begin(pid, func() error { return call("start", id) }); err != nil {
		return err
	}
	return wait(pid)
}

// copied makes a bundle that is as b, but for the filter.
func (b Bundle) copied() (dir string, err error) {
	from, err := filepath.Abs(b.Dir)
	if err != nil {
		return "", err
	}
	own, err := spec.Load(from)
	if err != nil {
		return "", err
	}
	seccomp := b.Seccomp
	if seccomp == nil {
		seccomp = []byte("null")
	}
	data, err := standing(own.Splice(seccomp), from)
	if err != nil {
		return "", fmt.Errorf("bundle %q: %w", b.Dir, err)
	}
	if gjson.GetBytes(data, "process.terminal").Bool() {
		return "", fmt.Errorf("bundle %q: process.terminal is true, and nobody holds the other end of a terminal; make it false", b.Dir)
	}
	if dir, err = os.MkdirTemp("", "batten-record-"); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, spec.FileName), data, 0o600); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// standing makes the paths absolute that are relative to the bundle.
func standing(data []byte, dir string) (_ []byte, err error) {
	if data, err = absolute(data, "root.path", dir); err != nil {
		return nil, err
	}
	for i, m := range gjson.GetBytes(data, "mounts").Array() {
		if source := m.Get("source").String(); !strings.Contains(source, "/") || filepath.IsAbs(source) {
			continue // the name of a file system, such as proc
		}
		if data, err = absolute(data, fmt.Sprintf("mounts.%d.source", i), dir); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func absolute(data []byte, key, dir string) ([]byte, error) {
	path := gjson.GetBytes(data, key).String()
	if path == "" || filepath.IsAbs(path) {
		return data, nil
	}
	return sjson.SetBytes(data, key, filepath.Join(dir, path))
}
