package bypass

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// denialRows are tried where the shim is asked about each denied call.
var denialRows = []row{
	{name: "memory that changes while the listener is asked", try: counting(calls("raced")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a filter that allows, over the one that notifies", try: counting(calls("own_filter")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "the same for all threads", try: counting(calls("own_filter_tsync")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a listener of its own that lets all through", try: calls("own_listener"), stock: "OK", batten: "EPERM", end: stopped},
	{name: "the same beside Batten's", try: counting(calls("own_listener")), stock: "OK", batten: "EBUSY", end: stopped},
	{name: "a tracer that exchanges the number", try: counting(calls("exchanged")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "an i386 call", try: counting(calls("i386_keyctl")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a flood of denied calls, and an exec", try: counting(func(a *attempt) string {
		return a.exec(flood, nil)
	}), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a flood of denied calls, and another container", try: counting(func(a *attempt) string {
		run := flood
		run.Runtime = a.runtime()
		c, err := a.Start(run)
		a.must(err)
		defer c.Remove()
		return a.run(node.Run{})
	}), stock: "OK", batten: "EPERM", end: stopped},
	{name: "more kinds of calls than are kept", try: counting(func(a *attempt) string {
		return a.run(node.Run{Args: []string{"/probe", "kinds", "3000", "--", "call", "keyctl"}})
	}), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a name that looks like a line of the log", try: logging(calls("named")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "another listener in the place of Batten's, as a user", try: counting(stealing(oci.WithUserID(65534))), stock: "OK", batten: "EPERM", end: stopped},
	{
		name: "another listener in the place of Batten's, as root", try: counting(stealing()), stock: "OK",
		batten: "OK", end: limit, why: "A container that mounts the node's files for writing, as root",
	},
	{
		name: "the same where no container is given Batten's files", try: underShipped("node-files", stealing()), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
}

func TestDenials(t *testing.T) { try(t, denialRows) }

// flood makes denied calls for as long as it runs.
var flood = node.Run{Args: []string{"/probe", "many", "keyctl", "1000000000", "8"}}

// counting has the shim see what is denied.
func counting(try func(*attempt) string) func(*attempt) string {
	return under("version: 1\ndenials: Count\n", try)
}

// logging has it write what it sees to a log, and says OK if a line there is not one of
// Batten's.
func logging(try func(*attempt) string) func(*attempt) string {
	return func(a *attempt) string {
		log := filepath.Join(a.Dir, "denials.jsonl")
		a.later(func() { _ = os.Remove(log) })
		came := counting(func(a *attempt) string {
			a.policy("version: 1\ndenials: Count\nlog: " + log + "\n")
			return try(a)
		})(a)
		f, err := os.Open(log)
		if !a.batten && os.IsNotExist(err) {
			return came
		}
		a.must(err)
		defer f.Close()
		decisions, denials := 0, 0
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var line struct {
				Time    string `json:"time"`
				Policy  string `json:"policy"`
				Process string `json:"proc.name"`
			}
			switch err := json.Unmarshal(lines.Bytes(), &line); {
			case err != nil || line.Time == "":
				return "OK"
			case line.Process == "":
				decisions++
			case strings.HasPrefix(line.Process, `"x\"}\n{`):
				denials++
			}
		}
		if decisions != 1 || denials != 1 {
			a.t.Errorf("the log has %d decisions and %d denials", decisions, denials)
		}
		return came
	}
}

// stealing has a container with a mount of /run/batten put a listener of its own where another
// container's is, and says what an exec in that one gets.
func stealing(spec ...oci.SpecOpts) func(*attempt) string {
	return func(a *attempt) string {
		dir := a.Path("/run/batten")
		a.must(os.MkdirAll(dir, 0o755))
		victim, err := a.Start(node.Run{Runtime: a.runtime()})
		a.must(err)
		defer victim.Remove()
		a.WaitForExec(victim)
		socket, err := record.Store{Dir: "/run/batten"}.Socket(node.Namespace, victim.ID)
		a.must(err)
		run := node.Run{Runtime: a.runtime(), Args: []string{"/probe", "steal", "/mnt" + socket, "--", "pause"}, Spec: append(spec, withMount("/run/batten", "/mnt/run/batten"))}
		thief, err := a.Start(run)
		if thief != nil {
			defer thief.Remove()
		}
		if err != nil {
			return "refused: " + err.Error()
		}
		a.Eventually(10*time.Second, "the listener", func() error {
			if out := thief.Output(); out == "" {
				return os.ErrNotExist
			}
			return nil
		})
		out, err := victim.Exec("/probe", "call", "keyctl")
		a.must(err)
		return last(out)
	}
}
