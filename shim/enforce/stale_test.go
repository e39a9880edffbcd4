package enforce

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
		{"being made", Record{Bundle: bundle, Time: now.Add(-time.Hour)}, false, false},
		{"never made", Record{Bundle: "/nowhere", Time: now}, true, false},
		{"never made, a while ago", Record{Bundle: "/nowhere", Time: now.Add(-2 * time.Minute)}, true, true},
		{"running", Record{Bundle: "/nowhere", Time: now, Pid: os.Getpid(), StartTime: startTime(os.Getpid())}, false, false},
		{"ended", Record{Bundle: bundle, Time: now, Pid: os.Getpid(), StartTime: 1}, false, true},
		// Clocks jump.
		{"of the future, being made", Record{Bundle: bundle, Time: now.Add(24 * time.Hour)}, false, false},
		{"of the future, never made", Record{Bundle: "/nowhere", Time: now.Add(24 * time.Hour)}, true, false},
		{"of 1970, running", Record{Bundle: bundle, Time: time.Unix(0, 0), Pid: os.Getpid(), StartTime: startTime(os.Getpid())}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records := Records{Dir: t.TempDir()}
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
