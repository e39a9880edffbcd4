package tighten_test

import (
	"io"
	"testing"

	"github.com/batten-runtime/batten/internal/tighten"
	"golang.org/x/sys/unix"
)

// TestProcess32: a 32-bit process makes its calls by int 0x80.
func TestProcess32(t *testing.T) {
	program := build(t, "testdata/worker32.c", "-m32", "-nostdlib", "-static", "-fno-pie", "-no-pie", "-fno-stack-protector")
	for _, tightened := range []bool{true, false} {
		w, want := start(t, program, nil), unix.EOPNOTSUPP
		if tightened {
			want = unix.EXDEV
			if _, err := tighten.Process(w.Process.Pid, noKeyctl, limit); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = io.WriteString(w.in, "x")
		_ = w.Wait()
		if got := unix.Errno(w.ProcessState.ExitCode()); got != want {
			t.Errorf("tightened %t: keyctl fails with %d, want %d", tightened, got, want)
		}
	}
}
