package enforce_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/batten-runtime/batten/shim/enforce"
)

// logged starts a container under a policy with the log, and returns the record.
func logged(t *testing.T, e *enforce.Enforcer, id string) {
	t.Helper()
	c := container(bundle(t, unset))
	c.ID = id
	if _, err := e.Prepare(c); err != nil {
		t.Error(err)
	}
}

// What a policy names as its log is written to where it is a file of root's, and
// nowhere else; a container starts in any case, and waits for nobody.
func TestLogFile(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(dir, log string) error
		lines int
	}{
		{name: "missing", lines: 1},
		{name: "in a directory that is missing", spoil: func(dir, _ string) error { return os.Remove(dir) }, lines: 1},
		{name: "with lines", spoil: func(_, log string) error { return os.WriteFile(log, []byte("{}\n"), 0o640) }, lines: 2},
		{name: "a link to a file", spoil: func(dir, log string) error {
			return sh(`echo '{}' >"$0/other" && ln -s other "$1"`, dir, log)
		}, lines: 1},
		{name: "a link to nothing", spoil: func(_, log string) error { return os.Symlink("made-by-root", log) }},
		{name: "a FIFO", spoil: func(_, log string) error { return sh(`mkfifo "$0"`, log) }},
		{name: "a FIFO that somebody reads", spoil: func(_, log string) error { return sh(`mkfifo "$0" && (timeout 5 cat "$0" >/dev/null &)`, log) }},
		{name: "a directory", spoil: func(_, log string) error { return os.Mkdir(log, 0o755) }},
		{name: "a user's", spoil: func(_, log string) error { return sh(`echo '{}' >"$0" && chown 1000 "$0"`, log) }, lines: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if os.Geteuid() != 0 {
				t.Skip("needs root: a user's file is one of another")
			}
			dir := filepath.Join(t.TempDir(), "log")
			log := filepath.Join(dir, "d.jsonl")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if tt.spoil != nil {
				if err := tt.spoil(dir, log); err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			logged(t, enforcer(t, "version: 1\nlog: "+log), "c1")
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("the container waited for %v", took)
			}
			if got := len(linesBelow(t, dir)); got != tt.lines {
				t.Errorf("%d lines, want %d", got, tt.lines)
			}
			if info, err := os.Lstat(log); tt.name == "missing" && (err != nil || info.Mode() != 0o600) {
				t.Errorf("its mode is %v (%v)", info.Mode(), err)
			}
		})
	}
}

func sh(script string, args ...string) error {
	return exec.Command("sh", append([]string{"-c", script}, args...)...).Run()
}

// linesBelow returns the lines of all regular files in dir, compressed ones too,
// each of which must be one value of JSON.
func linesBelow(t *testing.T, dir string) (lines []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(e.Name(), ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if !json.Valid([]byte(line)) || !strings.HasSuffix(line, "\n") {
				t.Errorf("%s has a broken line: %s", e.Name(), line)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// The log may be renamed while shims write to it: by hand, and by logrotate with the
// file that is shipped. No line is lost, and none is broken.
func TestLogRotates(t *testing.T) {
	const writers, each, rotations = 4, 60, 6
	byRename := func(t *testing.T, log string, n int) {
		if err := os.Rename(log, fmt.Sprintf("%s.%d", log, n)); err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
	}
	byLogrotate := func(t *testing.T, log string, _ int) {
		shipped, err := os.ReadFile("../../deploy/logrotate/batten")
		if err != nil {
			t.Fatal(err)
		}
		config := filepath.Join(filepath.Dir(filepath.Dir(log)), "logrotate.conf")
		text := strings.Replace(string(shipped), "/var/log/batten/", filepath.Dir(log)+"/", 1)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("logrotate", "--force", "--state", config+".state", config).CombinedOutput(); err != nil {
			t.Errorf("logrotate: %v: %s", err, out)
		}
	}
	for name, rotate := range map[string]func(*testing.T, string, int){"by rename": byRename, "by logrotate": byLogrotate} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("logrotate"); err != nil && name == "by logrotate" {
				if os.Getenv("REQUIRE_INTEGRATION") == "1" {
					t.Fatal("logrotate is missing: apt-get install logrotate")
				}
				t.Skip("logrotate is missing")
			}
			dir := filepath.Join(t.TempDir(), "log")
			log := filepath.Join(dir, "d.jsonl")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			var writing sync.WaitGroup
			for w := range writers {
				e := enforcer(t, "version: 1\nlog: "+log)
				writing.Go(func() {
					for i := range each {
						logged(t, e, fmt.Sprintf("c-%d-%d", w, i))
					}
				})
			}
			for n := range rotations {
				time.Sleep(20 * time.Millisecond)
				rotate(t, log, n)
			}
			writing.Wait()
			if got := len(linesBelow(t, dir)); got != writers*each {
				t.Errorf("%d lines of %d", got, writers*each)
			}
			if rotated, _ := filepath.Glob(log + ".*"); len(rotated) < 2 {
				t.Errorf("rotated: %q", rotated)
			}
		})
	}
}
