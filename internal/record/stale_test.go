package record

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/internal/procfs"
)

// A shim may be killed between the record and the container: the record goes with
// its bundle, and at once where somebody cleans up after that shim.
func TestSweep(t *testing.T) {
	bundle := t.TempDir()
	now := time.Now()
	for _, tt := range []struct {
		name         string
		record       Record
		swept, stale bool
	}{
		{name: "being made", record: Record{Bundle: bundle, Time: now.Add(-time.Hour)}},
		{name: "never made", record: Record{Bundle: "/nowhere", Time: now}, swept: true},
		{
			name:   "never made, a while ago",
			record: Record{Bundle: "/nowhere", Time: now.Add(-2 * time.Minute)}, swept: true,
			stale: true,
		},
		{
			name:   "running",
			record: Record{Bundle: "/nowhere", Time: now, Pid: os.Getpid(), StartTime: procfs.StartTime(os.Getpid())},
		},
		{
			name:   "ended",
			record: Record{Bundle: bundle, Time: now, Pid: os.Getpid(), StartTime: 1}, stale: true,
		},
		// Clocks jump.
		{
			name:   "of the future, being made",
			record: Record{Bundle: bundle, Time: now.Add(24 * time.Hour)},
		},
		{
			name:   "of the future, never made",
			record: Record{Bundle: "/nowhere", Time: now.Add(24 * time.Hour)}, swept: true,
		},
		{
			name:   "of 1970, running",
			record: Record{Bundle: bundle, Time: time.Unix(0, 0), Pid: os.Getpid(), StartTime: procfs.StartTime(os.Getpid())},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records := Store{Dir: t.TempDir()}
			rec := tt.record
			rec.ID, rec.ContainerdNamespace = "c", "test"
			if got := rec.stale(); got != tt.stale {
				t.Errorf("stale: %v, want %v", got, tt.stale)
			}
			for _, owner := range []string{"test", "other"} {
				rec.ContainerdNamespace = owner
				if err := records.Write(&rec); err != nil {
					t.Fatal(err)
				}
			}
			if err := records.Sweep("test"); err != nil {
				t.Fatal(err)
			}
			left, _ := filepath.Glob(filepath.Join(records.Dir, "*", "c.json"))
			if got := strings.Contains(strings.Join(left, " "), "/test/"); got == tt.swept {
				t.Errorf("swept: %v, want %v", !got, tt.swept)
			}
			if !strings.Contains(strings.Join(left, " "), "/other/") {
				t.Error("another's record was swept")
			}
		})
	}
}

// A process that nobody has waited for yet is gone, unless other threads than its first run.
func TestStaleZombie(t *testing.T) {
	leader := filepath.Join(t.TempDir(), "leader")
	if out, err := exec.Command("gcc", "-pthread", "-o", leader, "testdata/leader.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	for name, tt := range map[string]struct {
		program string
		stale   bool
	}{
		"all threads have ended":  {program: "true", stale: true},
		"the first one has ended": {program: leader},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(tt.program)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			rec := Record{Pid: cmd.Process.Pid, StartTime: procfs.StartTime(cmd.Process.Pid)}
			var s procfs.Status
			for deadline := time.Now().Add(time.Minute); !s.Ended() && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
				var err error
				if s, err = procfs.StatusOf(rec.Pid); err != nil {
					t.Fatal(err)
				}
			}
			if got := rec.stale(); got != tt.stale {
				t.Errorf("stale: %v, want %v: %+v", got, tt.stale, s)
			}
		})
	}
}

// TestHalfWritten: what a killed process has half written goes when it is old.
func TestHalfWritten(t *testing.T) {
	for name, look := range map[string]func(Store) error{
		"sweep": func(r Store) error { return r.Sweep("test") },
		"list":  func(r Store) error { _, err := r.List(); return err },
	} {
		t.Run(name, func(t *testing.T) {
			records := Store{Dir: t.TempDir()}
			dir := filepath.Join(records.Dir, "test")
			young, old := filepath.Join(dir, ".new-0123456789abcdef-1"), filepath.Join(dir, ".new-0123456789abcdef-2")
			for _, path := range []string{young, old} {
				if err := atomicfile.Write(path, []byte("{")); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*time.Minute)); err != nil {
				t.Fatal(err)
			}
			if err := look(records); err != nil {
				t.Fatal(err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 1 || left[0] != young {
				t.Errorf("left are %q, want only %q", left, young)
			}
		})
	}
}
