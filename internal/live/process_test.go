package live_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// program denies one call with an errno, so that filters differ by it.
func program(errno uint32) []bpf.Instruction {
	return []bpf.Instruction{
		{Code: unix.BPF_LD | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ, K: unix.SYS_KEYCTL, Jf: 1},
		{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ERRNO | errno},
		{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ALLOW},
	}
}

// flags are what the kernel tells of the flags of filter i: every other one logs.
func flags(i int) uintptr { return uintptr(i % 2 * unix.SECCOMP_FILTER_FLAG_LOG) }

func init() {
	if os.Getenv("LIVE_TEST") != "" {
		runtime.LockOSThread() // TestMain is the first thread
	}
}

// TestMain is the process that the tests read, too: with as many filters as the first
// argument says, and then in the state of the second.
func TestMain(m *testing.M) {
	if os.Getenv("LIVE_TEST") == "" {
		os.Exit(m.Run())
	}
	runtime.LockOSThread()
	n, _ := strconv.Atoi(os.Args[1])
	for errno := range n {
		code := program(uint32(errno))
		fprog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			panic(err)
		}
		if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC|flags(errno), uintptr(unsafe.Pointer(&fprog))); errno != 0 {
			panic(errno)
		}
	}
	fmt.Println("ready")
	switch os.Args[2] {
	case "stopped":
		_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
	case "vfork":
		vfork()
	case "ended":
		syscall.RawSyscall(unix.SYS_EXIT, 0, 0, 0) // the first thread alone
	}
	time.Sleep(time.Hour)
}

// vfork does not return: its caller waits in the kernel for a child that sleeps.
//
//go:nosplit
//go:norace
func vfork() {
	pause := unix.Timespec{Sec: 3600}
	if pid, _, _ := syscall.RawSyscall6(unix.SYS_CLONE, unix.CLONE_VM|unix.CLONE_VFORK|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0); pid == 0 {
		for {
			syscall.RawSyscall6(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0, 0, 0, 0)
		}
	}
}

// start starts such a process; only root's tests can read its filters.
func start(t testing.TB, filters int, state string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("REQUIRE_INTEGRATION") != "" {
			t.Fatal("run as root")
		}
		t.Skip("needs root")
	}
	cmd := exec.Command(os.Args[0], strconv.Itoa(filters), state)
	cmd.Env = []string{"LIVE_TEST=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // its group: the child of vfork, too
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("got %q (%v)", line, err)
	}
	return cmd
}

func status(t *testing.T, pid int, field string) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "\n"+field+":\t")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}
