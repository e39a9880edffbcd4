// Command probe makes sysinfo(2) ten times a second, and says each time whether it was open
// or closed. With three numbers it makes socket(2) once with them.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) == 4 {
		var numbers [3]int
		for i := range numbers {
			numbers[i], _ = strconv.Atoi(os.Args[i+1])
		}
		_, err := unix.Socket(numbers[0], numbers[1], numbers[2])
		fmt.Println("socket:", err)
		return
	}
	for ; ; time.Sleep(100 * time.Millisecond) {
		var info unix.Sysinfo_t
		if err := unix.Sysinfo(&info); err != nil {
			fmt.Println("closed:", err)
			continue
		}
		fmt.Println("open")
	}
}
