//go:build linux && (amd64 || arm64)

package kernel

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestABIsWithoutStdin: the answer is the same where standard input is closed, as it may be in a shim.
func TestABIsWithoutStdin(t *testing.T) {
	want := ABIs()
	kept, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, stderr+1)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Close(0); err != nil {
		t.Fatal(err)
	}
	got := ABIs()
	if err := unix.Dup3(kept, 0, 0); err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(kept)
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
