package procfs

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// File identifies a file by its device and inode, whatever its path is. The zero value
// stands for a file that cannot be identified.
type File struct{ Device, Inode uint64 }

// FileAt returns the file at a path.
func FileAt(path string) File {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return File{}
	}
	return File{Device: uint64(st.Dev), Inode: st.Ino}
}

// Executable returns the file that a process of this machine executes.
func Executable(pid int) File { return FileAt(fmt.Sprintf("/proc/%d/exe", pid)) }

// Command returns the name of a process of this machine, at most 15 bytes; it is empty if
// there is no such process.
func Command(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
