// Command drill works while a call is closed to it: goroutines count, sleep and pass a word round, and
// send what they count over TCP connections that echo. At SIGTERM threads that ran all the while
// make the call, and it says whether all goes on.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	sleepers    = 200
	ring        = 100
	connections = 16
	threads     = 32
	patience    = 10 * time.Second
)

var counts [sleepers + ring + connections]atomic.Int64

func main() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGTERM)
	failed := make(chan error, len(counts))
	for i := range sleepers {
		go sleep(&counts[i])
	}
	pass(counts[sleepers:][:ring])
	for i := range connections {
		must(connect(&counts[sleepers+ring+i], failed))
	}
	try, came := make(chan int), make(chan string, threads)
	for range threads {
		go func() {
			runtime.LockOSThread()
			<-try
			came <- attempt()
		}()
	}
	fmt.Println("before:", attempt())
	must(goesOn())
	fmt.Println("ready")
	<-asked
	close(try)
	for range threads {
		fmt.Println("AF_ALG:", <-came)
	}
	must(goesOn())
	select {
	case err := <-failed:
		must(err)
	default:
	}
	fmt.Println("unharmed")
}

func must(err error) {
	if err != nil {
		fmt.Println("harmed:", err)
		os.Exit(1)
	}
}

// attempt says what the call comes to.
func attempt() string {
	fd, err := unix.Socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0)
	if err == nil {
		_ = unix.Close(fd)
		return "OK"
	}
	var errno unix.Errno
	errors.As(err, &errno)
	return unix.ErrnoName(errno)
}

// pause is how long one thing waits before it goes on: a service is not busy all the time.
const pause = 10 * time.Millisecond

func sleep(n *atomic.Int64) {
	for {
		time.Sleep(pause)
		n.Add(1)
	}
}

// pass has goroutines pass a word round.
func pass(counts []atomic.Int64) {
	first := make(chan int)
	from := first
	for i := range counts {
		to := make(chan int)
		if i == len(counts)-1 {
			to = first
		}
		go func(from, to chan int) {
			for word := range from {
				counts[i].Add(1)
				if i == 0 {
					time.Sleep(pause)
				}
				to <- word
			}
		}(from, to)
		from = to
	}
	first <- 0
}

// connect sends numbers over a connection that stays open, and has each of them back.
func connect(n *atomic.Int64, failed chan<- error) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		server, err := l.Accept()
		if err == nil {
			_, err = io.Copy(server, server)
		}
		failed <- fmt.Errorf("the server's end: %v", err)
	}()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 8)
		for {
			binary.BigEndian.PutUint64(buf, uint64(n.Load()))
			_, err := client.Write(buf)
			if err == nil {
				_, err = io.ReadFull(client, buf)
			}
			if got := binary.BigEndian.Uint64(buf); err != nil || got != uint64(n.Load()) {
				failed <- fmt.Errorf("got %d, sent %d: %v", got, n.Load(), err)
				return
			}
			n.Add(1)
			time.Sleep(pause)
		}
	}()
	return nil
}

// goesOn waits until everything has counted on.
func goesOn() error {
	for i := range counts {
		was := counts[i].Load()
		for until := time.Now().Add(patience); counts[i].Load() == was; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				return fmt.Errorf("counter %d stands still at %d", i, was)
			}
		}
	}
	return nil
}
