// Command probe makes sysinfo(2) ten times a second, and says each time whether it was open
// or closed.
package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	for ; ; time.Sleep(100 * time.Millisecond) {
		var info unix.Sysinfo_t
		if err := unix.Sysinfo(&info); err != nil {
			fmt.Println("closed:", err)
			continue
		}
		fmt.Println("open")
	}
}
