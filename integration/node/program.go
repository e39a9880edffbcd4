package node

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// errStopped is the panic that ends a program at a failure.
var errStopped = errors.New("stopped")

// Program is a T for programs: failures are said and remembered.
type Program struct {
	failed bool
	mu     sync.Mutex
	undo   []func()
}

// Main runs a program on nodes and clears away what it set up, also when it
// fails or is interrupted. It returns the exit status.
func Main(play func(*Program)) (status int) {
	p := &Program{}
	signal.Ignore(syscall.SIGPIPE) // `| head` must not leave a node behind
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-interrupted
		p.clear()
		os.Exit(1)
	}()
	defer func() {
		if r := recover(); r != nil && r != errStopped {
			p.clear()
			panic(r)
		}
		p.clear()
		if p.failed {
			status = 1
		}
	}()
	play(p)
	return 0
}

// clear undoes what was set up, last first, once.
func (p *Program) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.undo) - 1; i >= 0; i-- {
		p.undo[i]()
	}
	p.undo = nil
}

// Helper is there for T.
func (p *Program) Helper() {}

// Failed reports whether anything was not as it should be.
func (p *Program) Failed() bool { return p.failed }

// Cleanup has f called at the end.
func (p *Program) Cleanup(f func()) { p.undo = append(p.undo, f) }

// Logf prints a line.
func (p *Program) Logf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// Errorf says what is not as promised, and goes on.
func (p *Program) Errorf(format string, args ...any) {
	p.failed = true
	fmt.Printf("NOT AS PROMISED: "+format+"\n", args...)
}

// Fatalf says what is not as promised, and ends the program.
func (p *Program) Fatalf(format string, args ...any) {
	p.Errorf(format, args...)
	panic(errStopped)
}

// Fatal is Fatalf without a format.
func (p *Program) Fatal(args ...any) { p.Fatalf("%s", fmt.Sprint(args...)) }

// Skip is Fatal: a program has nothing to skip.
func (p *Program) Skip(args ...any) { p.Fatal(args...) }
