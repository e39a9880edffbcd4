package record

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/recording"
)

// TestOdd: two recorders at once see the same of a program with an odd name, in two containers that
// have the same id one after the other, and neither lets the name move a cursor. The profile allows
// what was recorded, and denies what was not.
func TestOdd(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	own := id(t, 1)
	var recorders []*command
	var files []string
	for i := range 2 {
		files = append(files, filepath.Join(n.Dir, fmt.Sprintf("odd%d.json", i)))
		recorders = append(recorders, begin(t, n, "record", "--id", own, "--recording", files[i], "--to", filepath.Join(n.Etc, fmt.Sprintf("made%d.json", i)), "--floor", "None"))
	}
	for _, call := range []string{"keyctl", "set_mempolicy"} {
		n.Output(node.Run{Runtime: node.Stock, ID: own, Args: []string{"/bin/sh", "-c", fmt.Sprintf(`sleep 0.5; mkdir -p /tmp; odd="/tmp/$(printf 'a\033[2J\nb\377')"; cp /probe "$odd"; "$odd" call %s; sleep 0.5`, call)}})
	}
	var both []map[string]bool
	for i, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		rec := recorders[i]
		rec.await(own + ": ended")
		if err := rec.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if status := rec.end(); status != 0 || strings.Contains(rec.stderr(), "\x1b") || !utf8.ValidString(rec.stderr()) {
			t.Fatalf("exit status %d\n%q", status, rec.stderr())
		}
		r := read(t, files[i])
		both = append(both, names(r))
		if program := programOf(r, "keyctl"); program != "a?[2J?b?" {
			t.Errorf("keyctl by %q", program)
		}
	}
	if more, less := minus(both[0], both[1]), minus(both[1], both[0]); len(more)+len(less) > 0 || !both[0]["keyctl"] || !both[0]["set_mempolicy"] {
		t.Errorf("only one recorded %v %v, both %v", more, less, both[0])
	}
	policy := "version: 1\nabsent: made\nprofiles:\n  made: {file: made0.json}\n"
	if err := os.WriteFile(filepath.Join(n.Etc, "policy.yaml"), []byte(policy), 0o644); err != nil {
		t.Fatal(err)
	}
	const want = "keyctl: OK\nset_mempolicy: OK\nperf_event_open: EPERM\n"
	if got := n.Output(node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", "keyctl", "set_mempolicy", "perf_event_open"}}); got != want {
		t.Errorf("under the profile:\n%s", got)
	}
}

// programOf is who made a call first.
func programOf(r *recording.Recording, name string) string {
	for _, c := range r.Containers {
		for _, call := range c.Calls {
			if call.Name == name {
				return call.Program
			}
		}
	}
	return ""
}
