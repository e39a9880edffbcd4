package observe

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/integration/strace"
	"github.com/batten-runtime/batten/internal/denials"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// run runs the program.
func (w *witness) run(m mode) ran {
	w.t.Helper()
	return w.start(m, nil)
}

// trace runs the program under strace, in the container.
func (w *witness) trace(m mode) ran {
	w.t.Helper()
	w.serial++
	dir := filepath.Join(w.n.Dir, fmt.Sprintf("trace-%d", w.serial))
	if err := os.Mkdir(dir, 0o777); err != nil {
		w.t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	r := w.start(m, slices.Concat([]string{"/usr/bin/strace"}, strace.Flags, []string{"/trace/" + strace.File}), specs.Mount{Source: dir, Destination: "/trace", Type: "bind", Options: []string{"rbind", "rw"}})
	r.calls = strace.Calls(w.t, dir)
	return r
}

// start runs the program behind a command.
func (w *witness) start(m mode, front []string, mounts ...specs.Mount) ran {
	w.t.Helper()
	log := filepath.Join(w.n.Dir, "denials.jsonl")
	if err := os.RemoveAll(log); err != nil {
		w.t.Fatal(err)
	}
	runtime := node.Stock
	if m != unfiltered {
		runtime = node.Batten
		setPolicy(w.t, w.n, policies[string(m)]+"log: "+log+"\n")
	}
	r := ran{mode: m}
	r.output, r.exit = w.n.Job(node.Run{
		Runtime: runtime,
		Args:    w.Args(front...),
		Spec:    w.set.Spec(w.Program, mounts...),
	}, 5*time.Minute)
	if m == audited || m == counted {
		r.seen = w.seen(log)
	}
	return r
}

// seen returns the kinds in the policy's log, with the number of calls of each.
func (w *witness) seen(log string) kinds {
	w.t.Helper()
	f, err := os.Open(log)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	seen := make(kinds)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var line denials.Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			w.t.Fatalf("%v: %s", err, lines.Text())
		}
		if line.Syscall == "" {
			continue // it is about the container
		}
		var args [6]uint64
		for i := range args {
			if args[i], err = strconv.ParseUint(line.Args[i], 0, 64); err != nil {
				w.t.Fatalf("%v: %s", err, lines.Text())
			}
		}
		c, err := logged(line.Arch, line.Syscall, args)
		if err != nil {
			w.t.Fatalf("%v: %s", err, lines.Text())
		}
		want := w.judge.result(w.t, c)
		if got := strings.TrimPrefix(line.Result, "would be "); got != want {
			w.t.Errorf("%s: %s, want %s", w.judge.kind(c), line.Result, want)
		}
		// The last line of a kind has the number of all.
		seen[w.judge.kind(c)] = max(seen[w.judge.kind(c)], line.Count)
	}
	if err := lines.Err(); err != nil {
		w.t.Fatal(err)
	}
	return seen
}
