package denials

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// accept hears runtimes: one for the container's first process and one for each exec.
func (l *Listener) accept() {
	for refused := false; ; {
		conn, err := l.socket.accept()
		if errors.Is(err, fs.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files: the runtime waits
			if !refused {
				l.writer.warn(fmt.Errorf("listener %q: no runtime can connect now: %w", l.request.Path, err))
			}
			refused = true
			time.Sleep(100 * time.Millisecond)
			continue
		}
		refused = false
		l.slots <- struct{}{}
		if !l.begin(conn) {
			conn.Close()
			<-l.slots
			return
		}
		go l.hear(conn)
	}
}

// begin notes a connection; it returns false if the listener is closed.
func (l *Listener) begin(conn *stream) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		return false
	}
	l.conns[conn] = true
	l.handlers.Add(1)
	return true
}

// hear takes the descriptor of one connection over.
func (l *Listener) hear(conn *stream) {
	defer l.handlers.Done()
	defer func() {
		if r := recover(); r != nil {
			l.fail(fmt.Errorf("internal error: %v", r))
		}
		l.mu.Lock()
		delete(l.conns, conn)
		l.mu.Unlock()
		conn.Close()
		<-l.slots
	}()
	fd, err := fromRuntime(conn)
	if err != nil {
		l.fail(err)
		return
	}
	wakeSynchronously(fd)
	if err := l.loop.add(fd); err != nil {
		l.fail(err)
		_ = unix.Close(fd)
		return
	}
	l.attach.Do(func() { close(l.attached) })
	l.writer.changed()
}

// fail notes that the calls of some process are not seen.
func (l *Listener) fail(err error) {
	if errors.Is(err, errStopped) {
		return
	}
	if !errors.Is(err, errStranger) && !errors.Is(err, errSilent) {
		l.loop.lost(err)
	}
	l.writer.warn(err)
}

const (
	// maxConnections is how many runtimes are heard at once. Others wait.
	maxConnections = 16
	// patience is how long a runtime may take for its message, once it has begun.
	patience = 10 * time.Second
)
