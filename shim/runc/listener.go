package runc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/shim/enforce"
	"golang.org/x/sys/unix"
)

// detach starts the listener, which gets no descriptor but its own.
func detach(args []string) error {
	if err := unix.CloseRange(firstInherited, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil { // before Linux 5.11
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return err
		}
		for _, f := range open {
			if fd, err := strconv.Atoi(f.Name()); err == nil && fd >= firstInherited {
				unix.CloseOnExec(fd)
			}
		}
	}
	_, err := spawn(append([]string{listenFlag}, args...), []uintptr{requestFd, replyFd, nullFd, makerFd})
	return err
}

// reply calls f, and tells the process that waits for the reply if there is an error.
func reply(f func() error) int {
	if err := f(); err != nil {
		_, _ = unix.Write(replyFd, []byte(err.Error()))
		return 1
	}
	return 0
}

// serve is the listener's process. It ends with its container.
func serve(records record.Store) error {
	unix.CloseOnExec(makerFd)
	l, err := requested()
	if err != nil {
		return err
	}
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGQUIT)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGTERM)
	// A container should not lose its listener before it is killed itself: shims have this, too.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("-998"), 0)
	listener, err := l.Listen(records)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	if _, err = unix.Write(replyFd, []byte(ready)); err == nil {
		err = unix.Dup3(nullFd, replyFd, unix.O_CLOEXEC) // closes it
	}
	if err != nil {
		return errors.Join(err, listener.Remove())
	}
	go shrink(listener)
	life := &life{records: records, owner: l.Owner, id: l.ID, listener: listener, asked: asked}
	return life.end(life.wait())
}

// shrink gives memory back, now and then: to tell what the profile says of a kind of calls
// takes some megabytes for a moment.
func shrink(l *denials.Listener) {
	for kinds := 0; ; time.Sleep(10 * time.Second) {
		if n := len(l.Counts().Denials); n != kinds {
			kinds = n
			debug.FreeOSMemory()
		}
	}
}

// requested reads what is to be listened for, and closes its descriptor.
func requested() (l enforce.Listening, err error) {
	data, err := io.ReadAll(io.NewSectionReader(os.NewFile(requestFd, "request"), 0, 1<<30))
	if err == nil {
		err = json.Unmarshal(data, &l)
	}
	if err != nil {
		return l, fmt.Errorf("internal error: what to listen for: %w", err)
	}
	return l, unix.Dup3(nullFd, requestFd, unix.O_CLOEXEC)
}

// A life is the time for which a container needs its listener.
type life struct {
	records   record.Store
	owner, id string
	listener  *denials.Listener
	asked     <-chan os.Signal // of endListener
	isAsked   bool
}

// wait waits until no process of the container is left, and reports whether the container is
// known to be deleted. It does not end because of a signal alone, such as that of a shutdown,
// while processes need it.
func (l *life) wait() (deleted bool) {
	// A runtime that fails, or batten-runc itself, leaves no container.
	if l.until(makerFd, l.unused) {
		return true
	}
	unix.Close(makerFd)
	rec, err := l.records.Read(l.owner, l.id)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err == nil && rec.Call != nil {
		if fd, err := unix.PidfdOpen(firstProcess(rec), 0); err == nil {
			l.until(fd, func() bool { return false })
			unix.Close(fd)
		}
	}
	// Without a pid namespace, processes may outlive the first one.
	since := time.Now()
	for pause := time.Millisecond; !l.unused() && (!l.isAsked || time.Since(since) < endLimit/2); pause = min(2*pause, time.Second) {
		select {
		case <-l.asked:
			l.isAsked, since, pause = true, time.Now(), time.Millisecond
		case <-time.After(pause):
		}
	}
	return l.isAsked
}

// unused reports whether no process is under the filter.
func (l *life) unused() bool { return l.listener.Live() == 0 }

// until waits until a process has ended. It returns true if it is asked to end before that,
// and may.
func (l *life) until(pidfd int, may func() bool) bool {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for !ended(pidfd, time.Hour) { //nolint:revive // it waits
		}
	}()
	for {
		select {
		case <-gone:
			return false
		case <-l.asked:
			if l.isAsked = true; may() {
				return true
			}
		}
	}
}

// end ends the listener. What it has seen stays as long as the container's record.
func (l *life) end(deleted bool) error {
	if deleted {
		return l.listener.Remove()
	}
	err := l.listener.Close()
	if _, recErr := l.records.Read(l.owner, l.id); errors.Is(recErr, fs.ErrNotExist) { // removed meanwhile
		return errors.Join(err, denials.Store{Dir: l.records.Dir}.Remove(l.owner, l.id))
	}
	return err
}

// firstProcess returns the number of a container's first process; 0 if the runtime has made
// none.
func firstProcess(rec *record.Record) int {
	if rec.Pid != 0 && rec.StartTime != 0 && procfs.StartTime(rec.Pid) == rec.StartTime {
		return rec.Pid
	}
	if pid := pidIn(rec.Call.PidFile, rec.Time); pid != 0 {
		return pid
	}
	return askPid(rec)
}
