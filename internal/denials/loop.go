package denials

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// maxDescriptors bounds the descriptors of one container: one for its first process and one
// for each exec, as long as a process lives that came of it.
var maxDescriptors = 1000 // tests need less

// An answerer says what becomes of the calls.
type answerer interface {
	// answer ends the wait of one call. The error is ENOENT if the call has ended meanwhile.
	answer(fd int, n *notification) error
	kind() Answer
}

// A loop answers the calls of all descriptors of a container, in one thread: so the processor
// time of that thread is all that the answers cost, and execs cost no thread each.
type loop struct {
	answerer answerer
	tally    *tally
	// changed is called when there is something new to write.
	changed func()

	epoll, wake int // epoll(7), eventfd(2)
	done        chan struct{}

	// Only the thread uses these.
	ready        [16]unix.EpollEvent
	throttle     throttle
	served       int
	notification notification

	mu      sync.Mutex   // guards the rest
	live    map[int]bool // descriptors
	stopped bool
}

func newLoop(a answerer, t *tally, changed func()) (*loop, error) {
	l := &loop{answerer: a, tally: t, changed: changed, epoll: -1, wake: -1, done: make(chan struct{}), live: make(map[int]bool)}
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
		err = l.watch(l.wake)
	}
	if err != nil {
		l.closeAll()
		return nil, err
	}
	return l, nil
}

// watch makes epoll_wait(2) return when fd has something.
func (l *loop) watch(fd int) error {
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// Errors of add.
var (
	errStopped     = errors.New("the listener is closed")
	errDescriptors = errors.New("the container has too many execs at once: the calls of the last ones are not seen")
)

// add hands a descriptor over to the loop, which closes it. If there is an error, the caller
// still has it.
func (l *loop) add(fd int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.stopped:
		return errStopped
	case len(l.live) >= maxDescriptors:
		return errDescriptors
	}
	if err := l.watch(fd); err != nil {
		return err
	}
	l.live[fd] = true
	return nil
}

// size returns how many descriptors there are.
func (l *loop) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.live)
}

// stop ends the loop and waits until all its descriptors are closed.
func (l *loop) stop() {
	l.mu.Lock()
	first := !l.stopped
	l.stopped = true
	if first {
		_, _ = unix.Write(l.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
	l.mu.Unlock()
	<-l.done
}

// run answers calls until stop is called.
func (l *loop) run() {
	runtime.LockOSThread() // the thread's processor time is the loop's
	defer close(l.done)
	defer l.closeAll()
	for {
		n, err := unix.EpollWait(l.epoll, l.ready[:], -1)
		if err != nil && err != unix.EINTR {
			panic(fmt.Sprintf("epoll_wait: %v", err)) // a bug: wrong arguments
		}
		for _, e := range l.ready[:max(n, 0)] {
			fd := int(e.Fd)
			switch {
			case fd == l.wake:
				return
			case e.Events&unix.EPOLLIN != 0:
				if !l.breathe() {
					return
				}
				if err := l.serve(fd); err != nil {
					l.lost(err)
					l.drop(fd)
				}
			case e.Events&unix.EPOLLHUP != 0: // nobody is left under the filter
				l.drop(fd)
			}
		}
	}
}

// breathe pauses where the container's denials have cost too much. It returns false if the loop
// is stopped meanwhile.
func (l *loop) breathe() bool {
	if l.served++; l.served%checkEvery != 0 {
		return true
	}
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		return true
	}
	now := time.Now()
	pause := l.throttle.pause(now, time.Duration(used.Nano()))
	if pause == 0 {
		return true
	}
	timeout := unix.NsecToTimespec(int64(pause))
	woken, _ := unix.Ppoll([]unix.PollFd{{Fd: int32(l.wake), Events: unix.POLLIN}}, &timeout, nil)
	l.tally.slowed(time.Since(now))
	return woken <= 0
}

// serve answers one call of a descriptor. An error means that the descriptor is of no use any
// more.
func (l *loop) serve(fd int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v", r)
		}
	}()
	n := &l.notification
	if err := receive(fd, n); err != nil {
		return ended(err)
	}
	call := n.call()
	k := l.tally.keyOf(call)
	var first *Sample
	if !l.tally.known(k) {
		s := sampleOf(n)
		if !valid(fd, n.id) {
			return nil // the call has ended, and the sample may be of another process
		}
		first = &s
	}
	if err := l.answerer.answer(fd, n); err != nil {
		return ended(err) // a signal restarts the call: it comes again, and counts then
	}
	l.tally.count(k, call, first, time.Now().UTC())
	l.changed()
	return nil
}

// ended returns nil for the errors that signals cause: that of a call which has ended before
// its answer, and that of a wait in this process.
func ended(err error) error {
	if err == unix.ENOENT || err == unix.EINTR {
		return nil
	}
	return err
}

// lost notes that calls are not seen any more.
func (l *loop) lost(err error) {
	l.tally.broken(because(l.answerer.kind(), err))
	l.changed()
}

// because says what an error means for a container's calls.
func because(a Answer, err error) string {
	if a == LetThrough {
		return err.Error() + "; what the profile denies fails with ENOSYS there, although the policy only audits"
	}
	return err.Error() + "; what the profile denies fails with ENOSYS there"
}

// drop closes a descriptor. What waits for an answer fails with ENOSYS.
func (l *loop) drop(fd int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Closing would not be enough if the runtime has kept a copy.
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, fd, nil)
	_ = unix.Close(fd)
	delete(l.live, fd)
}

// closeAll closes all descriptors. It runs also after a panic.
func (l *loop) closeAll() {
	if r := recover(); r != nil {
		l.lost(fmt.Errorf("internal error: %v", r))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	for fd := range l.live {
		_ = unix.Close(fd)
	}
	clear(l.live)
	for _, fd := range []int{l.wake, l.epoll} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}
