package status_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
)

// A CRI-O that runs and reads other files, or was started before one was changed, is told: its
// handlers are not what it starts containers by.
func TestCRIODaemon(t *testing.T) {
	bin, etc := t.TempDir(), t.TempDir()
	write(t, filepath.Join(bin, "crio"), "#!/bin/sh\n")
	if err := os.Chmod(filepath.Join(bin, "crio"), 0o755); err != nil {
		t.Fatal(err)
	}
	main, dropIns := filepath.Join(etc, "crio.conf"), filepath.Join(etc, "crio.conf.d")
	file := filepath.Join(dropIns, "99-batten.conf")
	write(t, file, "[crio.runtime]\ndefault_runtime = \"batten\"\n[crio.runtime.runtimes.batten]\nruntime_path = \"/opt/batten-runc-crio\"\n")
	reads := []string{"--config", main, "--config-dir", dropIns}
	const what = "not looked at: what crio (process 40) starts containers by: "
	for name, row := range map[string]struct {
		args    []string
		path    string
		changed bool // after crio was started
		want    string
	}{
		"as configured":           {args: reads, path: bin},
		"another file":            {args: []string{"-c", "/etc/mine.conf", "-d", dropIns}, path: bin, want: what + "it reads /etc/mine.conf"},
		"other drop-ins":          {args: []string{"--config=" + main, "--config-dir=/etc/more"}, path: bin, want: what + "it reads /etc/more"},
		"not on PATH":             {args: reads, path: etc, want: what + "its program is not on PATH"},
		"changed since it runs":   {args: reads, path: bin, changed: true, want: "restart pending: crio (process 40) was started before " + file + " was changed: restart crio"},
		"changed a second before": {args: reads, path: bin},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", row.path)
			boot := time.Now().Add(-time.Hour).Truncate(time.Second)
			started := boot.Add(10 * time.Minute)
			at := started.Add(-time.Second)
			if row.changed {
				at = started.Add(time.Minute)
			}
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
			dir := proc(t, process{pid: 40, exe: "/usr/bin/crio", args: row.args, mounts: hostMounts, pids: init1.pids, start: 600 * 100})
			write(t, filepath.Join(dir, "stat"), fmt.Sprintf("btime %d\n", boot.Unix()))
			q := status.Question{
				Survey: status.Survey{Proc: dir, Records: record.Store{Dir: t.TempDir()}, Judge: &status.Judge{}},
				Load: func(path string) (*policy.Policy, document.Findings) {
					return policy.Parse(path, []byte(policy.Builtin), nil)
				},
				Configs: install.Configs{CRIO: install.CRIOConfigs{Main: main, DropIns: dropIns}},
			}
			report, err := q.Answer()
			if err != nil {
				t.Fatal(err)
			}
			about := slices.DeleteFunc(report.Problems, func(p string) bool { return !strings.Contains(p, "crio (process 40)") })
			if strings.Join(about, "\n") != row.want {
				t.Errorf("got  %q\nwant %q", about, row.want)
			}
		})
	}
}
