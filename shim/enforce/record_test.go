package enforce

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Removing a record removes what a write left that was killed before its rename,
// and nothing of another container's.
func TestRemoveUnfinished(t *testing.T) {
	records := Records{Dir: t.TempDir()}
	for _, id := range []string{"web", "web-1"} {
		rec := &Record{ID: id, ContainerdNamespace: "test"}
		if err := records.Write(rec); err != nil {
			t.Fatal(err)
		}
		path, err := records.path(rec.Owner(), id)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.CreateTemp(filepath.Dir(path), unfinished(path)+"*")
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	names := func() string {
		entries, _ := os.ReadDir(filepath.Join(records.Dir, "test"))
		var all []string
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return strings.Join(all, " ")
	}
	if err := records.Remove("test", "web"); err != nil {
		t.Fatal(err)
	}
	if got := names(); strings.Count(got, " ") != 1 || !strings.Contains(got, "web-1.json") || !strings.Contains(got, unfinished("web-1.json")) {
		t.Errorf("left: %s", got)
	}
	if err := records.Remove("test", "web-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(records.Dir, "test")); err == nil {
		t.Errorf("the directory is still there: %s", names())
	}
}

// A record that cannot be put in its place leaves nothing beside it.
func TestWriteThatFails(t *testing.T) {
	records := Records{Dir: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(records.Dir, "test", "web.json", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := records.Write(&Record{ID: "web", ContainerdNamespace: "test"}); err == nil {
		t.Error("a directory was overwritten")
	}
	if entries, _ := os.ReadDir(filepath.Join(records.Dir, "test")); len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
	if err := records.Write(&Record{ID: "web-1", ContainerdNamespace: "test"}); err != nil {
		t.Errorf("beside it: %v", err)
	}
}

func TestAppendLine(t *testing.T) {
	if err := appendLine("/dev/full", &Record{ID: "web"}); err == nil {
		t.Error("no error on a full device")
	}
	path := filepath.Join(t.TempDir(), "log")
	for range 2 {
		if err := appendLine(path, &Record{ID: "web"}); err != nil {
			t.Fatal(err)
		}
	}
	if data, _ := os.ReadFile(path); strings.Count(string(data), "\n") != 2 {
		t.Errorf("got %s", data)
	}
}

// What was computed is kept, but not for ever.
func TestMeetsAreBounded(t *testing.T) {
	var c meets
	floor := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"bpf"}, Action: specs.ActErrno}}}
	base := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: specs.ActErrno}}}
	for i := range 3 * maxMeets {
		first := c.of("floor", fmt.Sprint(i), floor, base)
		if again := c.of("floor", fmt.Sprint(i), floor, base); first.err != nil || &again.data[0] != &first.data[0] {
			t.Fatalf("%d: computed anew (%v)", i, first.err)
		}
		if want := i%maxMeets + 1; len(c.known) != want {
			t.Fatalf("%d: %d are kept, want %d", i, len(c.known), want)
		}
	}
}
