package tighten_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/tighten"
	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

func ExampleProcess() {
	allow := tighten.Filter{Instructions: []bpf.Instruction{{Code: bpf.Return, K: unix.SECCOMP_RET_ALLOW}}}
	_, err := tighten.Process(1<<30, allow, time.Second) // there is no such process
	fmt.Println(err)
	// Output: has ended
}

func TestNote(t *testing.T) {
	dir := t.TempDir()
	code := noKeyctl.Instructions
	if tighten.Noted(dir, code) || tighten.Reasons(dir) != nil {
		t.Error("noted, without a note")
	}
	if err := tighten.Note(dir, code, "no-keys"); err != nil {
		t.Fatal(err)
	}
	other := slices.Clone(code)
	other[6].K++
	if !tighten.Noted(dir, code) || tighten.Noted(dir, other) || !slices.Equal(tighten.Reasons(dir), []string{"no-keys"}) {
		t.Errorf("noted are %v, %v, by %q", tighten.Noted(dir, code), tighten.Noted(dir, other), tighten.Reasons(dir))
	}
}
