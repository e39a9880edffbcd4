package tighten_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/tighten"
	"github.com/batten-runtime/batten/policy/profile"
)

// waits32 is a whole program of 32-bit ARM: an ELF header, one program header, and
//
//	mov r0, #1; add r1, pc, #40; mov r2, #6; mov r7, #4; svc 0   @ write(1, "ready\n", 6)
//	mov r0, #0; mov r1, sp; mov r2, #1; mov r7, #3; svc 0        @ read(0, sp, 1)
//	rsb r0, r0, #1; mov r7, #1; svc 0                            @ exit(1 - what was read)
const waits32 = "\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x02\x00\x28\x00\x01\x00\x00\x00\x54\x00\x01\x00\x34\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x05\x34\x00\x20\x00\x01\x00\x00\x00" +
	"\x00\x00\x00\x00" +
	"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00" +
	"\x90\x00\x00\x00\x90\x00\x00\x00\x05\x00\x00\x00\x00\x10\x00\x00" +
	"\x01\x00\xa0\xe3\x28\x10\x8f\xe2\x06\x20\xa0\xe3\x04\x70\xa0\xe3\x00\x00\x00\xef" +
	"\x00\x00\xa0\xe3\x0d\x10\xa0\xe1\x01\x20\xa0\xe3\x03\x70\xa0\xe3\x00\x00\x00\xef" +
	"\x01\x00\x60\xe2\x01\x70\xa0\xe3\x00\x00\x00\xef" +
	"ready\n\x00\x00"

// TestProcess32: a 32-bit process is named, and goes on.
func TestProcess32(t *testing.T) {
	if abis := kernel.ABIs(); abis.Probed && abis == (profile.ABIs{Probed: true}) {
		t.Skip("this machine runs no 32-bit ARM programs")
	}
	path := filepath.Join(t.TempDir(), "waits32")
	if err := os.WriteFile(path, []byte(waits32), 0o700); err != nil {
		t.Fatal(err)
	}
	w := start(t, path, nil)
	_, err := tighten.Process(w.Process.Pid, noKeyctl, limit)
	var unreached *tighten.Unreached
	if !errors.As(err, &unreached) || !strings.Contains(err.Error(), "it is a 32-bit program") {
		t.Errorf("got %v", err)
	}
	_, _ = io.WriteString(w.in, "x")
	if err := w.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
}
