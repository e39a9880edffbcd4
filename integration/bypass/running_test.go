package bypass

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
)

const leftOpen = "A process that waits in vfork(2), that another process traces, or whose own filter does not let seccomp(2) pass stays open, and is named"

// runningRows are processes that run when batten block --running closes keyctl(2), and then make it.
var runningRows = []row{
	{name: "a process that makes threads all the time", try: blockedWhile("threads", ""), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one that is another process each time", try: blockedWhile("flees", ""), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one that makes others by vfork(2) all the time", try: blockedWhile("vforks", ""), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one that waits in vfork(2)", try: blockedWhile("in vfork", "does not stop (state D (disk sleep))"), stock: "OK", batten: "OK", end: limit, why: leftOpen},
	{name: "one that its parent traces", try: blockedWhile("traced", " traces it"), stock: "OK", batten: "OK", end: limit, why: leftOpen},
	{name: "one that blocks all signals", try: blockedWhile("blocks", ""), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one that listens to the call, and lets it pass", try: blockedWhile("listens", ""), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one that listens to seccomp(2)", try: blockedWhile("listens to seccomp", "its own filter does not let seccomp pass"), stock: "OK", batten: "OK", end: limit, why: leftOpen},
	{name: "one whose filter denies seccomp(2)", try: blockedWhile("denies seccomp", "its own filter denies seccomp"), stock: "OK", batten: "OK", end: limit, why: leftOpen},
	{name: "one that executes itself again all the time", try: blockedWhile("execs", ""), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one that has its memory in common with another", try: blockedWhile("shares", ""), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one that is not dumpable", try: blockedWhile("undumpable", ""), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one in a pid namespace of its own", try: blockedWhile("pid namespace", "", oci.WithAddedCapabilities([]string{"CAP_SYS_ADMIN"})), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one in a user namespace of its own", try: blockedWhile("user namespace", ""), stock: "OK", batten: "EACCES", end: stopped},
	{name: "one in both", try: blockedWhile("both namespaces", ""), stock: "OK", batten: "EACCES", end: stopped},
}

func TestRunning(t *testing.T) { try(t, runningRows) }

// blockedWhile has a process be in the way, blocks keyctl(2) while it runs, and says what it comes
// to then, by both ABIs: OK if any process of the container may make it. What is not closed must be
// named, with the reason. Under the stock runtime nobody blocks.
func blockedWhile(how, reason string, spec ...oci.SpecOpts) func(*attempt) string {
	return under(unconfined, func(a *attempt) string {
		a.t.Helper()
		c, err := a.Start(node.Run{Runtime: a.runtime(), Spec: spec, Args: []string{"/probe", "awkward", how, "--", "call", "keyctl", "i386_keyctl"}})
		a.must(err)
		pid := int(c.Task.Pid())
		a.Eventually(20*time.Second, how, func() error {
			_, err := os.Stat(fmt.Sprintf("/proc/%d/root/ready", pid))
			return err
		})
		if a.batten {
			a.block(c, reason)
		}
		a.must(syscall.Kill(pid, syscall.SIGTERM))
		_, err = c.WaitExit()
		a.must(err)
		c.Remove()
		out := c.Output()
		if a.batten && !strings.Contains(out, "keyctl: EACCES") {
			a.t.Errorf("nothing of the container is closed:\n%s", out)
		}
		return ofAll(out)
	})
}

// block closes keyctl(2) in a container that runs: with nothing left over, or if there is a reason
// with one process that is named, and exit status 1.
func (a *attempt) block(c *node.Created, reason string) {
	a.t.Helper()
	if out, err := c.Exec("/probe", "call", "keyctl", "i386_keyctl"); err != nil || ofAll(out) != "OK" || strings.Contains(out, ": E") {
		a.t.Fatalf("before the block: %v\n%s", err, out)
	}
	a.later(func() { _ = os.RemoveAll(filepath.Join(a.Etc, "policy.d")) })
	out, err := a.Command(filepath.Join(node.Root(), "bin", "batten"), "block", "--running", "--json", "--errno", "EACCES", "--id", c.ID, "keyctl").Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		a.t.Fatalf("%v\n%s", err, out)
	}
	var answer struct {
		Open      []json.RawMessage `json:"open"`
		Closed    int               `json:"closed"`
		Tightened []struct {
			Unreached []string `json:"unreached"`
		} `json:"tightened"`
	}
	a.must(json.Unmarshal(out, &answer))
	if len(answer.Tightened) != 1 {
		a.t.Fatalf("batten block says\n%s", out)
	}
	named := answer.Tightened[0].Unreached
	switch {
	case reason == "" && (err != nil || answer.Closed != 1 || len(named) > 0):
		a.t.Errorf("not closed: %v\n%s", err, out)
	case reason != "" && (err == nil || len(answer.Open) != 1 || len(named) != 1 || !strings.Contains(named[0], reason)):
		a.t.Errorf("batten block does not name it, with %q: %v\n%s", reason, err, out)
	}
}

// ofAll is what came of all calls in the probe's output: OK, if any was.
func ofAll(output string) string {
	all := strings.Split(strings.TrimSpace(output), "\n")
	came := last(all[0])
	for _, line := range all {
		switch each := last(line); {
		case each == "OK":
			return each
		case each != came:
			return "both of " + came + " and " + each
		}
	}
	if len(all) < 4 { // of two processes
		return "too little: " + output
	}
	return came
}
