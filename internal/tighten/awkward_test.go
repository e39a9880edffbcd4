package tighten_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/tighten"
	"golang.org/x/sys/unix"
)

// TestAwkward: programs that are in the way are tightened all the same, and go on as they were.
func TestAwkward(t *testing.T) {
	program := build(t, "testdata/awkward.c")
	for _, tt := range []struct {
		how    string
		before []string // what starts the program
		state  string   // that it is in before and after
	}{
		{how: "blocks"},
		{how: "listens"},
		{how: "execs"},
		{how: "stopped", state: "T"},
		{how: "vforks"},
		{how: "blocks", before: []string{"unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"}},
	} {
		t.Run(strings.Join(append(tt.before, tt.how), " "), func(t *testing.T) {
			list, within := cgroup(t)
			args := append([]string{"-c", within}, tt.before...)
			w := start(t, "/bin/sh", []string{"PATH=/usr/bin:/bin"}, append(args, program, tt.how)...)
			if tt.state != "" {
				inState(t, w.Process.Pid, tt.state)
			}
			r, err := tighten.All(noKeyctl, limit, list)
			if err != nil || len(r.Unreached) > 0 {
				t.Fatalf("%d tightened in %d looks: %v, %v", len(r.Tightened), r.Looks, r.Unreached, err)
			}
			if tt.state != "" {
				time.Sleep(20 * time.Millisecond)
				inState(t, w.Process.Pid, tt.state)
				if err := unix.Kill(w.Process.Pid, unix.SIGCONT); err != nil {
					t.Fatal(err)
				}
			}
			_, _ = io.WriteString(w.in, "x")
			if line, err := w.out.ReadString('\n'); line != "18\n" { // EXDEV
				t.Errorf("keyctl fails with %q, %v", line, err)
			}
		})
	}
}
