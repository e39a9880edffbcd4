package procfs

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// HostPidNamespace is the pid namespace of the machine itself (PROC_PID_INIT_INO in
// linux/proc_ns.h).
const HostPidNamespace = "pid:[4026531836]"

// ErrGone is the error for a process that has ended.
var ErrGone = errors.New("no such process any more")

// Process is what /proc tells of one process.
type Process struct {
	Pid, Parent int
	// StartTime is when it began, in clock ticks since boot. Pid and StartTime together
	// name one process for good.
	StartTime uint64
	// Name is the file that it executes, without directories.
	Name string
	// Dir is its working directory.
	Dir string
	// Cgroup is the longest of its cgroups' paths.
	Cgroup string
	// Threads is how many threads it has.
	Threads int
	// Seccomp is the first thread's mode: 0 none, 2 filter. Filters is how many filters
	// it has; -1 if the kernel does not say.
	Seccomp, Filters int
	// Mounts, Pids and Users are its namespaces. Each is empty if it is unreadable.
	Mounts, Pids, Users string
	// Root names the root directory by its file system and the path in that file system.
	Root string

	dir string // its directory in /proc
}

// Read reads one process of a /proc. The error is ErrGone if there is no such process, or if
// it has ended. A process has not ended if only its first thread has.
func Read(proc string, pid int) (Process, error) {
	p := Process{Pid: pid, Seccomp: -1, Filters: -1, dir: filepath.Join(proc, strconv.Itoa(pid))}
	ended, err := p.readStatus()
	if err == nil && ended {
		if p.Threads < 2 {
			return p, ErrGone
		}
		// An ended thread has no namespaces and no cgroup any more.
		err = p.moveToLiveThread()
	}
	if err != nil {
		return p, gone(err)
	}
	p.StartTime = startTime(filepath.Join(proc, strconv.Itoa(pid)))
	if exe, err := os.Readlink(filepath.Join(p.dir, "exe")); err == nil {
		p.Name = strings.TrimSuffix(filepath.Base(exe), " (deleted)")
	}
	p.Dir, _ = os.Readlink(filepath.Join(p.dir, "cwd"))
	if p.Mounts, err = os.Readlink(filepath.Join(p.dir, "ns/mnt")); errors.Is(err, fs.ErrNotExist) && p.ends() {
		return Read(proc, pid)
	}
	p.Pids, _ = os.Readlink(filepath.Join(p.dir, "ns/pid"))
	p.Users, _ = os.Readlink(filepath.Join(p.dir, "ns/user"))
	groups, _ := os.ReadFile(filepath.Join(p.dir, "cgroup"))
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && len(parts[2]) > len(p.Cgroup) {
			p.Cgroup = parts[2]
		}
	}
	return p, nil
}

// gone returns err, or ErrGone if err means that the process has ended.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return ErrGone
	}
	return err
}

// readStatus reads the status of the thread at p.dir, and reports whether it has ended.
func (p *Process) readStatus() (ended bool, err error) {
	s, err := readStatus(p.dir)
	if err != nil {
		return false, err
	}
	p.Name, p.Parent, p.Threads, p.Seccomp, p.Filters = s.Name, s.Parent, s.Threads, s.Seccomp, s.Filters
	return s.Ended(), nil
}

// moveToLiveThread makes p describe a thread of the process that has not ended.
func (p *Process) moveToLiveThread() error {
	entries, err := os.ReadDir(filepath.Join(p.dir, "task"))
	if err != nil {
		return err
	}
	of := *p
	for _, e := range entries {
		thread := of
		thread.dir = filepath.Join(of.dir, "task", e.Name())
		if ended, err := thread.readStatus(); err == nil && !ended {
			*p = thread
			return nil
		}
	}
	return ErrGone
}

// ReadRoot sets Root, from /proc/<pid>/mountinfo: reading the directory itself could hang.
// Root is empty if it is unknown, or if no file system is mounted there (chroot(2)).
func (p *Process) ReadRoot() {
	data, _ := os.ReadFile(filepath.Join(p.dir, "mountinfo"))
	for line := range strings.Lines(string(data)) {
		// 36 35 98:0 /root/in/the/file/system /mount/point …
		if f := strings.Fields(line); len(f) > 4 && f[4] == "/" {
			p.Root = f[2] + " " + f[3]
		}
	}
}

// Weakest returns the mode and the number of filters of the thread with the least of them.
func (p Process) Weakest() (seccomp, filters int) {
	seccomp, filters = p.Seccomp, p.Filters
	if p.Threads < 2 {
		return seccomp, filters
	}
	task := p.tasks()
	entries, _ := os.ReadDir(task)
	for _, e := range entries {
		t := Process{Seccomp: -1, Filters: -1, dir: filepath.Join(task, e.Name())}
		ended, err := t.readStatus()
		if err != nil || ended {
			continue
		}
		if t.Seccomp < seccomp || t.Seccomp == seccomp && t.Filters < filters {
			seccomp, filters = t.Seccomp, t.Filters
		}
	}
	return seccomp, filters
}

// tasks returns the directory of the process's threads.
func (p Process) tasks() string {
	if dir := filepath.Dir(p.dir); filepath.Base(dir) == "task" {
		return dir
	}
	return filepath.Join(p.dir, "task")
}

// Tasks returns the threads of the process by their numbers.
func (p Process) Tasks() (tids []int) {
	if tids, _ = numbersIn(p.tasks()); len(tids) == 0 {
		return []int{p.Pid}
	}
	return tids
}

// Tasks returns the threads of a process of this machine by their numbers. The error is
// fs.ErrNotExist or ESRCH if there is none.
func Tasks(pid int) ([]int, error) {
	return numbersIn(filepath.Join("/proc", strconv.Itoa(pid), "task"))
}

// Pids returns the processes of a /proc by their numbers.
func Pids(proc string) ([]int, error) { return numbersIn(proc) }

func numbersIn(dir string) (numbers []int, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers, err
}

// Args reads the command line. A process can make that hang: call Args only for processes that
// are known to be root's.
func (p Process) Args() []string {
	data, err := os.ReadFile(filepath.Join(p.dir, "cmdline"))
	if err != nil {
		return nil
	}
	return strings.Split(string(bytes.TrimRight(data, "\x00")), "\x00")
}

// Unit returns the name of the systemd service that the process is in, without .service;
// empty if it is in none.
func (p Process) Unit() string {
	unit, ok := strings.CutSuffix(filepath.Base(p.Cgroup), ".service")
	if !ok || !strings.HasPrefix(p.Cgroup, "/system.slice/") {
		return ""
	}
	return unit
}

// All reads all processes of a /proc, by pid. It leaves out processes that end meanwhile.
func All(proc string) (map[int]Process, error) {
	pids, err := Pids(proc)
	if err != nil {
		return nil, err
	}
	var (
		mu    sync.Mutex
		out   = make(map[int]Process)
		first error
		all   sync.WaitGroup
		slots = make(chan struct{}, 8)
	)
	for _, pid := range pids {
		slots <- struct{}{} // a process that is just executing a program keeps its reader waiting
		all.Go(func() {
			p, err := Read(proc, pid)
			<-slots
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, ErrGone):
			case err != nil:
				first = cmp.Or(first, err)
			default:
				out[pid] = p
			}
		})
	}
	all.Wait()
	if first != nil {
		return nil, first
	}
	return out, nil
}
