package observe

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
	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// engines are the daemons with the shim.
var engines = []string{"containerd-2.4", "runc-1.6", "debian", "containerd-1.7", "containerd-2.2"}

// calls are made by the probe, which says what came of each.
var calls = []string{"/probe", "call", "getpid", "i386_getpid", "keyctl", "add_key", "unshare", "bpf", "perf_event_open", "i386_keyctl"}

// denied are those of calls that RuntimeDefault denies, with the architecture.
var denied = []string{
	"SCMP_ARCH_X86 keyctl EPERM", "SCMP_ARCH_X86_64 add_key EPERM", "SCMP_ARCH_X86_64 bpf EPERM",
	"SCMP_ARCH_X86_64 keyctl EPERM", "SCMP_ARCH_X86_64 perf_event_open EPERM", "SCMP_ARCH_X86_64 unshare EPERM",
}

// policies are those that see and those that do not, by what they do.
var policies = map[string]string{
	"silent":       "version: 1\n",
	"counted":      "version: 1\ndenials: Count\n",
	"audited":      "version: 1\nmode: Audit\n",
	"audit silent": "version: 1\nmode: Audit\ndenials: Silent\n",
}

// TestSeen: what a job is denied, or would be, is seen and nothing else; what it does is what
// it does without being seen.
func TestSeen(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			n := node.Start(t, engine)
			for _, kind := range []struct {
				name string
				spec []oci.SpecOpts
				seen []string
			}{
				{name: "unset", seen: denied},
				{name: "no_new_privs", spec: []oci.SpecOpts{oci.WithNoNewPrivileges}, seen: denied},
				{name: "privileged", spec: []oci.SpecOpts{oci.WithPrivileged}, seen: []string{
					"SCMP_ARCH_X86 keyctl EPERM", "SCMP_ARCH_X86_64 add_key EPERM", "SCMP_ARCH_X86_64 keyctl EPERM",
				}},
			} {
				t.Run(kind.name, func(t *testing.T) {
					run := node.Run{Runtime: node.Batten, Args: calls, Spec: kind.spec}
					silent, _ := job(t, n, "silent", run)
					stock := n.Output(node.Run{Runtime: node.Stock, Args: calls, Spec: kind.spec})
					for name, want := range map[string]struct {
						output string
						seen   []string
					}{
						"counted":      {output: silent, seen: kind.seen},
						"audited":      {output: stock, seen: would(kind.seen)},
						"audit silent": {output: stock},
					} {
						output, seen := job(t, n, name, run)
						if output != want.output {
							t.Errorf("%s, it wrote\n%swant\n%s", name, output, want.output)
						}
						if !slices.Equal(seen, want.seen) {
							t.Errorf("%s, seen\n%s\nwant\n%s", name, strings.Join(seen, "\n"), strings.Join(want.seen, "\n"))
						}
					}
				})
			}
		})
	}
}

// would is what an audit says of these.
func would(seen []string) (out []string) {
	for _, s := range seen {
		i := strings.LastIndexByte(s, ' ')
		out = append(out, s[:i]+" would be"+s[i:])
	}
	return out
}

// job runs a container to its end under a policy, and returns what it wrote and what the
// policy's log says that was seen, sorted.
func job(t *testing.T, n *node.Node, policy string, run node.Run) (output string, seen []string) {
	t.Helper()
	log := filepath.Join(n.Dir, "denials.jsonl")
	setPolicy(t, n, policies[policy]+"log: "+log+"\n")
	return n.Output(run), lines(t, log)
}

// lines returns what the policy's log says that was seen, sorted, and removes the log.
func lines(t *testing.T, log string) (seen []string) {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line denials.Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		if line.Syscall != "" {
			seen = append(seen, fmt.Sprintf("%s %s %s", line.Arch, line.Syscall, line.Result))
		}
	}
	slices.Sort(seen)
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	return seen
}

func setPolicy(t *testing.T, n *node.Node, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(n.Etc, "policy.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestKept: of a container that runs, the counts are beside its record, those of execs too,
// and they go with it.
func TestKept(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			n := node.Start(t, engine)
			setPolicy(t, n, policies["counted"])
			c, err := n.Start(node.Run{Runtime: node.Batten})
			if err != nil {
				t.Fatal(err)
			}
			records := record.Store{Dir: n.Path("/run/batten")}
			rec, err := records.Read(node.Namespace, c.ID)
			if err != nil || !rec.Denials.Seen() || rec.Denials.Answer != record.Denied {
				t.Fatalf("record: %+v (%v)", rec.Denials, err)
			}
			for range 3 {
				if out, err := c.Exec("/probe", "call", "keyctl"); err != nil || out != "keyctl: EPERM\n" {
					t.Errorf("exec: %s (%v)", out, err)
				}
			}
			store := denials.Store{Dir: n.Path("/run/batten")}
			n.Eventually(10*time.Second, "the counts of three execs", func() error {
				counts, err := store.Read(node.Namespace, c.ID)
				if err != nil {
					return err
				}
				if len(counts.Denials) != 1 || counts.Denials[0].Count != 3 || counts.Denials[0].Syscall != "keyctl" || counts.Broken != "" {
					return fmt.Errorf("%+v", counts)
				}
				return nil
			})
			c.Remove()
			if left, _ := filepath.Glob(n.Path("/run/batten/" + node.Namespace + "/*")); len(left) > 0 {
				t.Errorf("left: %s", left)
			}
		})
	}
}
