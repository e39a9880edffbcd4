package status_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/status"
)

// What cannot be seen is said, and no container is called safe by a look at nothing.
func TestSurveySaysWhatItDoesNotSee(t *testing.T) {
	look := func(dir string) (*status.Node, error) {
		return status.Survey{Proc: dir, Records: record.Store{Dir: t.TempDir()}, Judge: &status.Judge{}}.Look()
	}
	t.Run("all", func(t *testing.T) {
		n, err := look(proc(t))
		if err != nil || len(n.Unseen) != 0 {
			t.Errorf("%+v, %v", n, err)
		}
	})
	t.Run("not root's", func(t *testing.T) {
		dir := proc(t)
		if err := os.Remove(filepath.Join(dir, "1/ns/mnt")); err != nil {
			t.Fatal(err)
		}
		_, err := look(dir)
		if want := "the namespaces of process 1 cannot be read"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
	t.Run("one process", func(t *testing.T) {
		dir := proc(t, process{pid: 11, parent: 1, exe: "/a"})
		if err := os.Remove(filepath.Join(dir, "11/ns/mnt")); err != nil {
			t.Fatal(err)
		}
		n, err := look(dir)
		if err != nil || fmt.Sprint(n.Unseen) != "[the namespaces of 1 processes]" {
			t.Errorf("%+v, %v", n, err)
		}
	})
	t.Run("another pid namespace", func(t *testing.T) {
		dir := proc(t)
		path := filepath.Join(dir, "1/ns/pid")
		if err := errors.Join(os.Remove(path), os.Symlink("pid:[4026532000]", path)); err != nil {
			t.Fatal(err)
		}
		n, err := look(dir)
		if err != nil || fmt.Sprint(n.Unseen) != "[this is a pid namespace of its own, not the machine's: containers outside of it]" {
			t.Errorf("%+v, %v", n, err)
		}
	})
}

// This machine's own /proc can be read whole.
func TestProcesses(t *testing.T) {
	all, err := procfs.All("/proc")
	if err != nil || len(all) == 0 {
		t.Fatalf("%d processes, %v", len(all), err)
	}
	if self, ok := all[os.Getpid()]; !ok || self.Parent != os.Getppid() || self.Seccomp < 0 || self.StartTime != procfs.StartTime(os.Getpid()) {
		t.Errorf("self: %+v", self)
	}
}
