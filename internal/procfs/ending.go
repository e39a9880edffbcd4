package procfs

import "time"

// Lives reports whether there is a process of this number on the machine that has not ended. One that
// nobody has waited for has ended; one of which only the first thread has ended has not.
func Lives(pid int) bool {
	s, err := StatusOf(pid)
	if err != nil {
		return gone(err) != ErrGone // it is there, and cannot be read
	}
	return !s.Ended() || s.Threads > 1
}

// ends reports whether a thread without a mount namespace is about to end: it loses its namespaces
// some time before the kernel says that it has ended (do_exit in kernel/exit.c).
func (p Process) ends() bool {
	for range 10 {
		if ended, err := p.readStatus(); err != nil || ended {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}
