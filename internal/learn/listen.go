package learn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Unseen stands for the program of calls that a listener cannot be notified of.
const Unseen = "(not seen)"

// impossible is a value that no program gives to the arguments that decide.
const impossible = 0x7fff0000ffff0000

// Listen runs the bundle to its end without eBPF: under a filter that notifies a listener of each
// call and denies none. That is slow, and each call waits for its answer. Calls that no listener
// can be notified of, because the runtime makes them itself before it hands the listener over, are
// in the recording as made by [Unseen].
func (b Bundle) Listen(ctx context.Context, r syscalls.Runtime, arches []specs.Arch) (_ *recording.Recording, status unix.WaitStatus, err error) {
	dir, err := os.MkdirTemp("", "batten-record-")
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "listener.sock")
	twin, err := observe.Profile(observe.Request{Seccomp: denying(arches), Mode: observe.Audit, Runtime: r, ListenerPath: path})
	if err != nil {
		return nil, 0, err
	}
	store := denials.Store{Dir: filepath.Join(dir, "counts")}
	l, err := denials.Listen(denials.Request{Path: path, Judge: twin, LetThrough: true, Store: store, Owner: "bundle", ID: "bundle"})
	if err != nil {
		return nil, 0, fmt.Errorf("listening: %w", err)
	}
	b.Seccomp = profile.Encode(twin.Seccomp)
	w := &watched{Container: recording.Container{Name: filepath.Base(b.Dir), From: time.Now().Round(0), Start: true}}
	err = b.run(func(pid int, start func() error) error {
		w.describe(pid)
		w.Filtered = false // its filter denies nothing
		return start()
	}, func(pid int) (err error) {
		w.Ended, err = waitFor(ctx, pid, &status)
		w.To = time.Now().Round(0)
		return err
	})
	counts := l.Counts()
	if err := errors.Join(err, l.Close()); err != nil {
		return nil, 0, err
	}
	w.heard(&counts)
	w.unseen(twin.Unseen)
	return &recording.Recording{
		Batten: recording.Version, Kernel: kernel.Release(), Machine: kernel.Name(), Containers: []recording.Container{w.Container},
		Lost: recording.Lost{Calls: counts.Others},
	}, status, nil
}

// denying is a profile that denies all but execve, and looks at the arguments that decide: its twin
// notifies of all calls, by these arguments.
func denying(arches []specs.Arch) specs.LinuxSeccomp {
	s := specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: arches, Syscalls: []specs.LinuxSyscall{{Names: []string{"execve"}, Action: specs.ActAllow}}}
	for _, name := range []string{"socket", "socketpair", "personality"} {
		s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{
			Names: []string{name}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Index: 0, Value: impossible, Op: specs.OpEqualTo}},
		})
	}
	return s
}

// waitFor waits for a child, until ctx is done, and reports whether the child has ended.
func waitFor(ctx context.Context, pid int, status *unix.WaitStatus) (ended bool, err error) {
	for {
		got, err := unix.Wait4(pid, status, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false, fmt.Errorf("waiting for the container: %w", err)
		case got == pid:
			return true, nil
		case ctx.Err() != nil:
			return false, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// heard takes what a listener has counted for calls that were made.
func (w *watched) heard(counts *denials.Counts) {
	for _, d := range counts.Denials {
		nr, known := syscalls.Number(d.Arch, d.Syscall)
		if !known {
			continue // of numbers without a name nobody is notified
		}
		by := recording.First{Program: recording.Printable(d.Sample.Comm), Pid: d.Sample.HostPid, After: max(d.First.Sub(w.From), 0)}
		c := recording.Call{Arch: d.Arch, Nr: nr, Name: d.Syscall, First: by}
		for index, value := range d.Args {
			c.Arguments = append(c.Arguments, recording.Argument{Index: index, Value: value, First: by})
		}
		w.join(c)
	}
}

// unseen adds the calls that no listener is notified of.
func (w *watched) unseen(all []observe.Unseen) {
	for _, u := range all {
		for _, arch := range u.Arches {
			if nr, ok := syscalls.Number(arch, u.Name); ok {
				w.join(recording.Call{Arch: arch, Nr: nr, Name: u.Name, First: recording.First{Program: Unseen, After: w.To.Sub(w.From)}})
			}
		}
	}
}
