package denials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/semantics"
)

// A Judge says what the profile does with a call that the listener is notified of:
// *observe.Observed is one.
type Judge interface {
	// Answer returns the outcome; ok is false if the profile does not have the call.
	Answer(bpf.Call) (outcome semantics.Outcome, ok bool)
	// Errno returns the errno with which the call is to fail, ENOSYS if the profile has none.
	Errno(bpf.Call) uint16
	// Arguments returns the arguments, by index, that the profile looks at.
	Arguments(bpf.Call) []uint
}

// Request says what to listen for.
type Request struct {
	// Path is the socket's, the listenerPath of the observing profile.
	Path string
	// Judge says what the profile does.
	Judge Judge
	// LetThrough is for a policy that only audits: each call runs. Otherwise each call fails.
	LetThrough bool
	// Store has the file of the counts, which Owner and ID name.
	Store     Store
	Owner, ID string
	// Log is called with each line for the policy's log, and never by two goroutines at
	// once. It may be nil. From says what is alike in all lines.
	Log  func(Line)
	From Origin
	// Warn is called with what the operator should know, maybe by several goroutines. It may
	// be nil.
	Warn func(error)
}

// A Listener answers the calls of one container that its filter notifies of, and counts
// them.
type Listener struct {
	request  Request
	socket   *stream
	file     fs.FileInfo // the socket's
	tally    *tally
	loop     *loop
	writer   *writer
	attached chan struct{}
	attach   sync.Once
	handlers sync.WaitGroup
	slots    chan struct{}

	mu    sync.Mutex
	conns map[*stream]bool // guarded by mu; nil once closed
}

// Listen makes the socket, which only root can connect to, and serves it until Close. It is
// called before the runtime that connects to it. The directory of the socket must be root's
// alone; Listen makes it if it is missing.
func Listen(r Request) (*Listener, error) {
	if _, err := r.Store.path(r.Owner, r.ID); err != nil {
		return nil, err
	}
	if r.Judge == nil {
		return nil, errors.New("internal error: a listener without a profile")
	}
	if err := checkSizes(); err != nil {
		return nil, err
	}
	if r.LetThrough {
		if err := checkContinue(); err != nil {
			return nil, err
		}
	}
	socket, err := listen(r.Path)
	if err != nil {
		return nil, err
	}
	file, err := os.Lstat(r.Path)
	if err != nil {
		socket.Close()
		return nil, err
	}
	var a answerer = enforcing{judge: r.Judge}
	if r.LetThrough {
		a = auditing{}
	}
	l := &Listener{
		request: r, socket: socket, file: file, attached: make(chan struct{}),
		slots: make(chan struct{}, maxConnections), conns: make(map[*stream]bool),
	}
	l.tally = newTally(r, a.kind())
	l.writer = newWriter(r, l.tally)
	if l.loop, err = newLoop(a, l.tally, l.writer.changed); err != nil {
		l.unlink()
		return nil, err
	}
	go l.loop.run()
	go l.writer.run()
	go l.accept()
	return l, nil
}

// maxPath is the longest path of a socket, without the byte that ends it (unix(7)).
const maxPath = 107

// listen makes the socket.
func listen(path string) (*stream, error) {
	if !filepath.IsAbs(path) || len(path) > maxPath {
		return nil, fmt.Errorf("listener %q: the path of a socket must be absolute and have at most %d bytes", path, maxPath)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || info.Mode().Perm()&0o077 != 0 || int(st.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("listener %q: others can reach its directory; chmod 0700 %s", path, dir)
	}
	// A listener that was killed has left its socket.
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		_ = os.Remove(path)
	}
	return bind(path)
}

// Attached is closed once the runtime has handed over the first descriptor.
func (l *Listener) Attached() <-chan struct{} { return l.attached }

// Live returns how many descriptors there are that processes still use.
func (l *Listener) Live() int { return l.loop.size() }

// Counts returns the counts as they are.
func (l *Listener) Counts() Counts { return l.tally.snapshot() }

// Close ends the listener, writes the last counts and removes the socket. Calls that wait for
// an answer fail with ENOSYS, as do later ones: Close is called when the container's processes
// have ended.
func (l *Listener) Close() error {
	defer l.unlink()
	l.end()
	return l.writer.stop(true)
}

// Remove ends the listener as Close does, and removes the counts: the container is deleted.
func (l *Listener) Remove() error {
	defer l.unlink()
	l.end()
	return errors.Join(l.writer.stop(false), l.request.Store.Remove(l.request.Owner, l.request.ID))
}

func (l *Listener) end() {
	l.mu.Lock()
	for conn := range l.conns {
		conn.Close()
	}
	l.conns = nil
	l.mu.Unlock()
	l.handlers.Wait()
	l.loop.stop()
}

// unlink closes the socket and removes it, if its file is not another listener's by now. It
// comes last: whoever finds no socket knows that the listener writes nothing any more.
func (l *Listener) unlink() {
	l.socket.Close()
	if file, err := os.Lstat(l.request.Path); err == nil && os.SameFile(file, l.file) {
		_ = os.Remove(l.request.Path)
	}
}
