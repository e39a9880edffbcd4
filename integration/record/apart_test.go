package record

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/recording"
)

// asks are runs of /probe that make one call each that nothing else makes.
func asks(call string) node.Run {
	return node.Run{Runtime: node.Stock, Args: []string{"/bin/sh", "-c", "sleep 0.2; /probe call " + call + "; sleep 0.2"}}
}

// TestApart: two containers that are recorded at once are kept apart, and a third beside them is
// not recorded.
func TestApart(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	keep := filepath.Join(n.Dir, "apart.json")
	one, two := id(t, 1), id(t, 2)
	rec := begin(t, n, "record", "--id", one, "--id", two, "--recording", keep, "--floor", "None")
	var all []*node.Created
	for _, run := range []struct{ id, call string }{{one, "keyctl"}, {two, "set_mempolicy"}, {id(t, 3), "perf_event_open"}} {
		r := asks(run.call)
		r.ID = run.id
		c, err := n.Start(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	for _, c := range all {
		if _, err := c.WaitExit(); err != nil {
			t.Error(err)
		}
		c.Remove()
	}
	rec.await(one + ": ended")
	rec.await(two + ": ended")
	rec.interrupt()
	if status := rec.end(); status != 0 {
		t.Fatalf("exit status %d\n%s", status, rec.stderr())
	}
	r := read(t, keep)
	if len(r.Containers) != 2 {
		t.Fatalf("%d containers", len(r.Containers))
	}
	for _, c := range r.Containers {
		own := &recording.Recording{Containers: []recording.Container{c}}
		got := names(own)
		if got["keyctl"] != (c.ID == one) || got["set_mempolicy"] != (c.ID == two) || got["perf_event_open"] {
			t.Errorf("%s: %v", c.ID, got)
		}
	}
}

// TestRunning: of a container that runs already only what it does from then on is recorded, and the
// recording says so; what is executed in it from outside is recorded, too.
func TestRunning(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	own := id(t, 1)
	c, err := n.Start(node.Run{Runtime: node.Batten, ID: own, Args: []string{"/bin/sh", "-c", "sync; echo synced; until [ -e /tmp/go ]; do sleep 0.1; done; /probe call chmod; sleep 1000"}})
	if err != nil {
		t.Fatal(err)
	}
	n.Eventually(10*time.Second, "its first call", func() error {
		if !strings.Contains(c.Output(), "synced") {
			return fmt.Errorf("%q", c.Output())
		}
		return nil
	})
	keep := filepath.Join(n.Dir, "running.json")
	rec := begin(t, n, "record", "--id", own, "--recording", keep, "--floor", "None")
	if out, err := c.Exec("/probe", "call", "keyctl"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := c.Exec("/bin/sh", "-c", "mkdir -p /tmp; touch /tmp/go"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	n.Eventually(10*time.Second, "its second call", func() error {
		if !strings.Contains(c.Output(), "chmod") {
			return fmt.Errorf("%q", c.Output())
		}
		return nil
	})
	rec.interrupt()
	if status := rec.end(); status != 0 {
		t.Fatalf("exit status %d\n%s", status, rec.stderr())
	}
	r := read(t, keep)
	if len(r.Containers) != 1 || r.Containers[0].Start || r.Containers[0].Ended || !r.Containers[0].Filtered {
		t.Fatalf("recorded: %+v", r.Containers)
	}
	// RuntimeDefault denies keyctl, so nobody records it.
	if got := names(r); !got["fchmodat"] || got["keyctl"] || got["sync"] {
		t.Errorf("%v", got)
	}
	if !strings.Contains(rec.stderr(), "1 of 1 containers ran before they were recorded") {
		t.Errorf("it does not say so:\n%s", rec.stderr())
	}
}

// TestAudited: what an audit lets through is recorded, and is said to be what a filter would deny.
func TestAudited(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	if err := os.WriteFile(filepath.Join(n.Etc, "policy.yaml"), []byte("version: 1\nmode: Audit\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	own, keep := id(t, 1), filepath.Join(n.Dir, "audited.json")
	rec := begin(t, n, "record", "--id", own, "--until", "end", "--recording", keep)
	run := asks("keyctl")
	run.ID, run.Runtime = own, node.Batten
	run.Args[2] += "; sleep 1.5" // until what was denied is in its file
	n.Output(run)
	if status := rec.end(); status != 1 || !strings.Contains(rec.stderr(), "refuted: the profile is looser than RuntimeDefault") || !strings.Contains(rec.stderr(), "  keyctl by probe") {
		t.Errorf("exit status %d\n%s", status, rec.stderr())
	}
	r := read(t, keep)
	if !names(r)["keyctl"] {
		t.Errorf("not recorded: %v", names(r))
	}
	if d := r.Containers[0].Denied; !slices.ContainsFunc(d, func(d recording.Denied) bool { return d.Name == "keyctl" && d.Ran }) {
		t.Errorf("denied: %+v", d)
	}
}
