package kernel_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/testneeds"
	"golang.org/x/sys/unix"
)

// TestUnheard: a process under a filter knows whether that has a listener. It runs itself anew
// under such filters.
func TestUnheard(t *testing.T) {
	testneeds.Root(t, "only root may install a filter without no_new_privs")
	if os.Getenv("BATTEN_TEST_FILTERED") != "" {
		t.Logf("unheard: %q", kernel.Unheard())
		return
	}
	if kernel.Unheard() != "" {
		t.Skip(kernel.Unheard())
	}
	for _, tt := range []struct {
		name  string
		flags uintptr
		want  string
	}{
		{name: "no listener, a control", want: `unheard: ""`},
		{name: "a listener", flags: unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, want: `unheard: "this process runs under a filter that has a listener, and a process can have only one"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe", "-test.run=^TestUnheard$", "-test.v")
			cmd.Env = append(os.Environ(), "BATTEN_TEST_FILTERED=1")
			var out []byte
			err := make(chan error)
			go func() {
				runtime.LockOSThread() // the child is this thread's, and the thread ends
				err <- filtered(tt.flags, func() (failed error) { out, failed = cmd.CombinedOutput(); return failed })
			}()
			if err := <-err; err != nil || !strings.Contains(string(out), tt.want) {
				t.Errorf("%v: %s\nwant %s", err, out, tt.want)
			}
		})
	}
}

// filtered calls f in a thread that has a filter which allows all, and whose descriptor, if there
// is one, is open until f returns.
func filtered(flags uintptr, f func() error) error {
	allow := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
	program := unix.SockFprog{Len: uint16(len(allow)), Filter: &allow[0]}
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	if flags != 0 {
		defer unix.Close(int(fd))
	}
	return f()
}
