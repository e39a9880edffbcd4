// Command threads has many threads make calls that are denied, all at once.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	threads = 64
	rounds  = 50
)

func main() {
	var wg sync.WaitGroup
	results := make([][4]syscall.Errno, threads)
	for i := range threads {
		wg.Add(1)
		go func() {
			defer wg.Done()
			runtime.LockOSThread()
			for range rounds {
				_, _, results[i][0] = syscall.RawSyscall6(unix.SYS_KEYCTL, 0xffff, 0, 0, 0, 0, 0)
				_, _, results[i][1] = syscall.RawSyscall6(unix.SYS_PERSONALITY, 0x40000, 0, 0, 0, 0, 0)
				_, _, results[i][2] = syscall.RawSyscall6(unix.SYS_GETPPID, 0, 0, 0, 0, 0, 0)
				_, _, results[i][3] = syscall.Syscall6(unix.SYS_BPF, 0xffff, 0, 0, 0, 0, 0)
			}
		}()
	}
	wg.Wait()
	for i, r := range results {
		fmt.Println(i, r)
	}
}
