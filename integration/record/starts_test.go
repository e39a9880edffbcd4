package record

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/integration/programs"
	"github.com/batten-runtime/batten/internal/denials"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// way is how a container is started.
type way struct {
	runtime         string
	binary          string
	noNewPrivileges bool
}

// ways are the runtimes that there are, each with no_new_privs and without.
func ways(t *testing.T, n *node.Node) (out []way) {
	for _, w := range []way{
		{runtime: "runc 1.1.5", binary: node.RuntimeOf("debian")},
		{runtime: "runc 1.5", binary: node.RuntimeOf("containerd-2.4")},
		{runtime: "runc 1.6", binary: node.RuntimeOf("runc-1.6")},
		{runtime: "crun 1.8.1", binary: node.CrunHere(t, n)},
	} {
		for _, set := range []bool{true, false} {
			w.noNewPrivileges = set
			out = append(out, w)
		}
	}
	return out
}

func (w way) String() string { return fmt.Sprintf("%s, no_new_privs %v", w.runtime, w.noNewPrivileges) }

// spec are what the way asks of a spec.
func (w way) spec() []oci.SpecOpts {
	out := []oci.SpecOpts{oci.WithNoNewPrivileges}
	if !w.noNewPrivileges {
		out = []oci.SpecOpts{oci.WithNewPrivileges}
	}
	if strings.HasPrefix(w.runtime, "crun") {
		out = append(out, node.WithOldSpec)
	}
	return out
}

// shortWays is how many ways each program is started in under make test: the next program is
// started in the next ones. PROGRAMS=all has all.
const shortWays = 3

// TestStarts: every program that was recorded starts under its own recording, with each runtime,
// writes and ends as it did, and is denied nothing.
func TestStarts(t *testing.T) {
	set := programs.Installed(t, t.TempDir())
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	all := ways(t, n)
	started := 0
	for i, p := range set.Programs {
		t.Run(p.Name, func(t *testing.T) {
			n.In(t)
			profile := filepath.Join(n.Etc, "recorded.json")
			free, exit := recordedRuns(t, n, set, p, i, profile)
			chosen := all
			if os.Getenv("PROGRAMS") != "all" {
				chosen = slices.Concat(all, all)[i*shortWays%len(all):][:shortWays]
			}
			for _, w := range chosen {
				if p.Setuid && !w.noNewPrivileges {
					continue
				}
				output, status, denied := startUnder(t, n, set, p, w, profile)
				if len(denied) > 0 {
					t.Errorf("%s: denied\n%s", w, strings.Join(denied, "\n"))
				}
				if status != exit || output != free && p.Varies == "" {
					t.Errorf("%s: it ended with %d and wrote\n%s\nwithout a filter with %d and\n%s", w, status, output, exit, free)
				}
				started++
			}
		})
	}
	t.Logf("%d programs started %d times", len(set.Programs), started)
}

// recordedRuns records a program without a filter, twice at least, since not all runs are alike, and
// makes a profile of all.
func recordedRuns(t *testing.T, n *node.Node, set *programs.Set, p programs.Program, number int, profile string) (output string, exit uint32) {
	t.Helper()
	args := []string{"record", "--to", profile, "--floor", "None"}
	for round := range max(p.Rounds, 2) {
		own := id(t, number*10+round)
		path := filepath.Join(n.Dir, own+".json")
		rec := begin(t, n, "record", "--id", own, "--until", "end", "--to", path, "--floor", "None")
		output, exit = n.Job(node.Run{Runtime: node.Stock, ID: own, Args: p.Args(), Spec: set.Spec(p)}, time.Minute)
		if status := rec.end(); status != 0 {
			t.Fatalf("exit status %d\n%s", status, rec.stderr())
		}
		args = append(args, "--from", strings.TrimSuffix(path, ".json")+".recording.json")
	}
	if out, err := n.Command(append([]string{"batten"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return output, exit
}

// startUnder runs the program under a profile, and returns what it was denied.
func startUnder(t *testing.T, n *node.Node, set *programs.Set, p programs.Program, w way, profile string) (string, uint32, []string) {
	t.Helper()
	log := filepath.Join(n.Dir, "denials.jsonl")
	if err := os.RemoveAll(log); err != nil {
		t.Fatal(err)
	}
	policy := fmt.Sprintf("version: 1\nabsent: recorded\ndenials: Count\nlog: %s\nprofiles:\n  recorded: {file: %s}\n", log, filepath.Base(profile))
	if err := os.WriteFile(filepath.Join(n.Etc, "policy.yaml"), []byte(policy), 0o644); err != nil {
		t.Fatal(err)
	}
	output, exit := n.Job(node.Run{
		Runtime: node.Batten, Options: &options.Options{BinaryName: w.binary}, Args: p.Args(), Spec: append(set.Spec(p), w.spec()...),
	}, time.Minute)
	return output, exit, deniedIn(t, log)
}

// deniedIn returns the lines of the policy's log of calls that were denied. That clone3 is, so that
// the C library takes clone, is what the profile is made for.
func deniedIn(t *testing.T, log string) (out []string) {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err) // also if nothing was observed
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line denials.Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		if line.Syscall != "" && (line.Syscall != "clone3" || line.Result != "ENOSYS") {
			out = append(out, lines.Text())
		}
	}
	return out
}
