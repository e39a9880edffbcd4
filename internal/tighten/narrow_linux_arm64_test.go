package tighten_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/tighten"
	"github.com/batten-runtime/batten/policy/profile"
)

// waits32 is a program of 32-bit ARM, whose source is beside it.
const waits32 = "testdata/waits32.arm"

// TestProcess32: a 32-bit process is named, and goes on.
func TestProcess32(t *testing.T) {
	if abis := kernel.ABIs(); abis.Probed && abis == (profile.ABIs{Probed: true}) {
		t.Skip("this machine runs no 32-bit ARM programs")
	}
	w := start(t, waits32, nil)
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
