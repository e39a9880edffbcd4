package procfs

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Ticks is how many clock ticks a second has for user space (USER_HZ).
const Ticks = 100

// Now returns the clock ticks since boot, as StartTime counts them.
func Now() uint64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0
	}
	return uint64(t.Nano()) * Ticks / uint64(time.Second)
}

// Age returns how long ago a process began, by its StartTime.
func Age(startTime uint64) time.Duration {
	return time.Duration(int64(Now()-startTime)) * (time.Second / Ticks)
}

// StartTime returns when a process of this machine began, in clock ticks since boot;
// 0 if there is none.
func StartTime(pid int) uint64 { return startTime(filepath.Join("/proc", strconv.Itoa(pid))) }

func startTime(dir string) uint64 {
	data, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0
	}
	// The second field is the command in parentheses, which may hold any
	// byte; the start time is the 20th after it.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 20 {
		return 0
	}
	t, _ := strconv.ParseUint(string(fields[19]), 10, 64)
	return t
}
