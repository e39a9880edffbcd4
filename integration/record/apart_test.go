package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/learn"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/cilium/ebpf"
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

// TestReplay: a profile is judged by what runs now, with the arguments that it looks at.
func TestReplay(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	narrow := filepath.Join(n.Dir, "narrow.json")
	text := `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": %d}]}]}`
	for i, tt := range []struct {
		value, status int
		want          string
	}{{value: 0xffff, status: 0, want: narrow + " would have denied nothing of what 1 container did\n"}, {value: 0, status: 1, want: "keyctl(KEYCTL_GET_KEYRING_ID) by probe: SCMP_ACT_ERRNO(EPERM)\n"}} {
		if err := os.WriteFile(narrow, fmt.Appendf(nil, text, tt.value), 0o644); err != nil {
			t.Fatal(err)
		}
		own := id(t, i)
		rec := begin(t, n, "replay", narrow, "--id", own, "--until", "end")
		run := asks("keyctl")
		run.ID = own
		n.Output(run)
		if status := rec.end(); status != tt.status || rec.stdout.String() != tt.want {
			t.Errorf("exit status %d, want %d\n%s%s", status, tt.status, rec.stdout.String(), rec.stderr())
		}
	}
}

// TestBundle: a bundle is run without its filter, or what of it is to be judged, and stays as it is.
func TestBundle(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	dir := n.Bundle("bundle", id(t, 1), "/probe", "call", "keyctl", "getpid")
	before, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(n.Dir, "bundle.json")
	cmd := n.Command("batten", "record", "--bundle", dir, "--to", to, "--floor", "None")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || string(out) != "keyctl: OK\ngetpid: OK\n" {
		t.Fatalf("%v: %s%s", err, out, stderr.String())
	}
	if after, err := os.ReadFile(filepath.Join(dir, "config.json")); err != nil || string(after) != string(before) {
		t.Errorf("config.json was changed (%v)", err)
	}
	r := read(t, strings.TrimSuffix(to, ".json")+".recording.json")
	if got := names(r); !got["keyctl"] || !got["getpid"] || got["clone"] || !r.Containers[0].NoNewPrivileges {
		t.Errorf("%v", got)
	}
	// The recorded profile is what the bundle needs, and one call less is not.
	if out, err := n.Command("batten", "replay", to, "--bundle", dir).CombinedOutput(); err != nil || !strings.Contains(string(out), "would have denied nothing") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestListener: without eBPF a bundle is recorded by a listener, and its profile is enough for it.
func TestListener(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	dir := n.Bundle("heard", id(t, 1), "/probe", "call", "keyctl", "set_mempolicy")
	to := filepath.Join(n.Dir, "heard.json")
	cmd := n.Command("batten", "record", "--bundle", dir, "--listener", "--to", to, "--floor", "None")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || string(out) != "keyctl: OK\nset_mempolicy: OK\n" {
		t.Fatalf("%v: %s%s", err, out, stderr.String())
	}
	if !strings.Contains(stderr.String(), "recorded by a listener, slowly") {
		t.Errorf("it does not say so:\n%s", stderr.String())
	}
	r := read(t, strings.TrimSuffix(to, ".json")+".recording.json")
	if got := names(r); !got["keyctl"] || !got["set_mempolicy"] || got["add_key"] {
		t.Errorf("%v", got)
	}
	for _, c := range r.Containers[0].Calls {
		if seen := c.Program != learn.Unseen; c.Name == "keyctl" && !seen || c.Name == "sendmsg" && seen {
			t.Errorf("%s by %s", c.Name, c.Program)
		}
	}
	// By eBPF the same bundle makes no call that this profile denies.
	if out, err := n.Command("batten", "replay", to, "--bundle", dir).CombinedOutput(); err != nil || !strings.Contains(string(out), "would have denied nothing") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestKilled: a recorder that is killed leaves nothing attached.
func TestKilled(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	attachedAre := func(want int) {
		t.Helper()
		n.Eventually(5*time.Second, "programs that are attached", func() error {
			if now := attached(t); now != want {
				return fmt.Errorf("%d, want %d", now, want)
			}
			return nil
		})
	}
	attachedAre(0) // those of recorders before
	rec := begin(t, n, "record", "--id", id(t, 1))
	attachedAre(4)
	if err := rec.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	rec.end()
	attachedAre(0)
}

// attached is how many of a recorder's programs the kernel has.
func attached(t *testing.T) (count int) {
	t.Helper()
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return count
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // gone
		}
		info, err := p.Info()
		_ = p.Close()
		if err == nil && strings.HasPrefix(info.Name, "batten_") {
			count++
		}
	}
}
