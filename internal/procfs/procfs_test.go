package procfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
)

func ExampleRead() {
	p, err := procfs.Read("/proc", os.Getpid())
	fmt.Println(p.Pid == os.Getpid(), p.Parent == os.Getppid(), err)
	// Output:
	// true true <nil>
}

// sleep starts a process that sleeps until the test ends.
func sleep(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	return cmd
}

func TestStatusOf(t *testing.T) {
	cmd := sleep(t)
	pid := cmd.Process.Pid
	s, err := procfs.StatusOf(pid)
	if err != nil || s.Parent != os.Getpid() || s.Tracer != 0 || s.Threads != 1 || s.Ended() {
		t.Errorf("a process that sleeps: %+v, %v", s, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Killed and not waited for, it is a zombie.
	for deadline := time.Now().Add(time.Minute); !s.Ended() && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if s, err = procfs.StatusOf(pid); err != nil {
			t.Fatal(err)
		}
	}
	if !s.Ended() {
		t.Errorf("a zombie: %+v", s)
	}
	if _, err := procfs.Read("/proc", pid); !errors.Is(err, procfs.ErrGone) {
		t.Errorf("Read of a zombie: %v, want ErrGone", err)
	}
	_ = cmd.Wait()
	if _, err := procfs.StatusOf(pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a process that is gone: %v", err)
	}
	self, err := procfs.SelfStatus()
	if again, _ := procfs.StatusOf(os.Getpid()); err != nil || self.Name != again.Name || self.Parent != os.Getppid() {
		t.Errorf("this process: %+v, %v, by its number %+v", self, err, again)
	}
}

// TestStatusOfKilled: the kernel says of a thread that a filter has killed that it has the
// mode 3, before it has ended, too. It was filtered.
func TestStatusOfKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "killed")
	if out, err := exec.Command("gcc", "-O1", "-o", path, "testdata/killed.c").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for how, want := range map[string]int{"filter": 2, "strict": 1} {
		cmd := exec.Command(path, how)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var s procfs.Status
		for deadline := time.Now().Add(time.Minute); !s.Ended() && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			var err error
			if s, err = procfs.StatusOf(cmd.Process.Pid); err != nil {
				t.Fatal(err)
			}
		}
		raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if s.Seccomp != want {
			t.Errorf("killed by %s: the mode is %d, want %d; the kernel says:\n%s", how, s.Seccomp, want, raw)
		}
		_ = cmd.Wait()
	}
}

func TestStartTime(t *testing.T) {
	self := procfs.StartTime(os.Getpid())
	if self == 0 || self != procfs.StartTime(os.Getpid()) {
		t.Errorf("this process began at %d", self)
	}
	if got := procfs.StartTime(1 << 30); got != 0 {
		t.Errorf("no process began at %d", got)
	}
}

func TestExecutable(t *testing.T) {
	pid := sleep(t).Process.Pid
	path, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	// Start returns when the child has executed the program.
	if got := procfs.Executable(pid); got != procfs.FileAt(path) || got == (procfs.File{}) {
		t.Errorf("got %+v, want %s's %+v", got, path, procfs.FileAt(path))
	}
	if got := procfs.Command(pid); got != "sleep" {
		t.Errorf("its name is %q", got)
	}
	if got, name := procfs.Executable(1<<30), procfs.Command(1<<30); got != (procfs.File{}) || name != "" {
		t.Errorf("no process: %+v %q", got, name)
	}
}

// A process of which the first thread has ended is read from another thread. The files are
// made by hand: status has what proc_pid_status(5) says.
func TestReadWithoutFirstThread(t *testing.T) {
	proc := t.TempDir()
	write := func(path, text string) {
		path = filepath.Join(proc, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	status := func(name, state string, threads, seccomp int) string {
		return fmt.Sprintf("Name:\t%s\nState:\t%s\nPPid:\t1\nThreads:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%d\n",
			name, state, threads, seccomp, seccomp/2)
	}
	write("7/status", status("first", "Z (zombie)", 2, 0))
	write("7/task/7/status", status("first", "Z (zombie)", 2, 0))
	write("7/task/8/status", status("second", "S (sleeping)", 2, 2))
	write("7/task/8/cgroup", "0::/pod/container\n")
	write("9/status", status("whole", "Z (zombie)", 1, 0))
	write("not-a-process/status", "")
	all, err := procfs.All(proc)
	if err != nil || len(all) != 1 {
		t.Fatalf("got %v, %v, want process 7 alone", all, err)
	}
	p := all[7]
	if p.Name != "second" || p.Seccomp != 2 || p.Filters != 1 || p.Cgroup != "/pod/container" {
		t.Errorf("got %+v", p)
	}
	if mode, filters := p.Weakest(); mode != 2 || filters != 1 {
		t.Errorf("the weakest thread has mode %d and %d filters, want those of the one that lives", mode, filters)
	}
	write("7/status", strings.Replace(status("first", "S (sleeping)", 2, 0), "Threads:\t2", "Threads:\tmany", 1))
	_, err = procfs.Read(proc, 7)
	want := filepath.Join(proc, "7/status") + `: Threads: strconv.Atoi: parsing "many": invalid syntax`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Weakest finds the thread that has no filter.
func TestWeakest(t *testing.T) {
	for _, tt := range []struct {
		name          string
		threads       []int // the modes of the threads after the first
		mode, filters int
	}{
		{name: "all alike", threads: []int{2}, mode: 2, filters: 1},
		{name: "one without", threads: []int{2, 0}, mode: 0, filters: 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			proc := t.TempDir()
			for i, mode := range append([]int{2}, tt.threads...) {
				text := fmt.Sprintf("State:\tS\nThreads:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%d\n", 1+len(tt.threads), mode, mode/2)
				dirs := []string{fmt.Sprintf("7/task/%d", 7+i)}
				if i == 0 {
					dirs = append(dirs, "7")
				}
				for _, dir := range dirs {
					if err := os.MkdirAll(filepath.Join(proc, dir), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(proc, dir, "status"), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			p, err := procfs.Read(proc, 7)
			if err != nil {
				t.Fatal(err)
			}
			if mode, filters := p.Weakest(); mode != tt.mode || filters != tt.filters {
				t.Errorf("got mode %d and %d filters, want %d and %d", mode, filters, tt.mode, tt.filters)
			}
		})
	}
}

// A process that ends while it is read is gone, whatever read(2) says.
func TestGone(t *testing.T) {
	for _, err := range []error{fs.ErrNotExist, syscall.ESRCH} {
		if got := procfs.Gone(err); !errors.Is(got, procfs.ErrGone) {
			t.Errorf("%v: got %v", err, got)
		}
	}
	if got := procfs.Gone(fs.ErrPermission); !errors.Is(got, fs.ErrPermission) {
		t.Errorf("got %v", got)
	}
}

// TestInCgroup: a process of a cgroup, and of one below it.
func TestInCgroup(t *testing.T) {
	pid := os.Getpid()
	p, err := procfs.Read("/proc", pid)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(procfs.InCgroup("/"), pid) {
		t.Error("this process is in no cgroup below the root")
	}
	if !slices.Contains(procfs.InCgroup(p.Cgroup), pid) {
		t.Errorf("this process is not in its own, %s", p.Cgroup)
	}
	if got := procfs.InCgroup("/there/is/no/such"); got != nil {
		t.Errorf("a cgroup that there is not has %v", got)
	}
}

// What has just begun is young, by the same clock.
func TestNow(t *testing.T) {
	before := procfs.Now()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	began := procfs.StartTime(cmd.Process.Pid)
	if age := procfs.Age(began); age < 0 || age > time.Duration(procfs.Now()-began)*time.Second/procfs.Ticks {
		t.Errorf("it is %v old", age)
	}
	if now := procfs.Now(); began < before || began > now || before == 0 {
		t.Errorf("it began at %d, between %d and %d", began, before, now)
	}
}
